// SPDX-License-Identifier: Apache-2.0
import Fetch
public import KopsModel
public import KubeAPI

/// An API server that add-ons are applied to.
public struct KubeTarget: AddonTarget {
    /// Who the API server notes as the owner of the applied fields.
    public static let fieldManager = "kopslite"

    private let client: KubeClient

    /// Makes a target of a client.
    public init(_ client: KubeClient) { self.client = client }

    /// Creates or changes an object by server-side apply.
    public func apply(_ object: JSONValue) async throws -> Bool {
        do {
            return try await client.apply(object, fieldManager: Self.fieldManager) != .unchanged
        } catch {
            throw AddonError(error)
        }
    }
}

extension AddonError {
    /// A client's error as add-ons fail; cancellation stays what it is by the caller's own check.
    init(_ error: any Error) {
        switch error {
        case let error as KubeError: self = error.isTransient ? .transient("\(error)") : .permanent("\(error)")
        case let error as FetchError: self = error.isTransient ? .transient("\(error)") : .permanent("\(error)")
        default: self = .transient("\(error)")
        }
    }
}
