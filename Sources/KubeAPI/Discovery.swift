// SPDX-License-Identifier: Apache-2.0
import KopsModel

/// What a server calls the kinds of a group and version, learnt once and again when a kind is new.
actor Discovery {
    struct Resource: Sendable, Equatable {
        let plural: String
        let isNamespaced: Bool
    }

    private var groups: [String: [String: Resource]] = [:]

    /// The resource of a kind.
    ///
    /// - Throws: ``KubeError`` with reason `NotServed` when the server has no such kind, also just now.
    func resource(
        of object: ObjectReference,
        fetch: @Sendable (String) async throws -> JSONValue?
    ) async throws -> Resource {
        if let known = groups[object.groupPath]?[object.kind] { return known }
        let list = try await fetch(object.groupPath)
        var kinds: [String: Resource] = [:]
        for entry in list?["resources"]?.array ?? [] {
            // Subresources such as `pods/status` repeat a kind.
            guard let kind = entry["kind"]?.string, let plural = entry["name"]?.string, !plural.contains("/") else {
                continue
            }
            if kinds[kind] == nil {
                kinds[kind] = Resource(plural: plural, isNamespaced: entry["namespaced"] == .bool(true))
            }
        }
        groups[object.groupPath] = kinds
        guard let found = kinds[object.kind] else {
            throw KubeError(
                code: 404,
                reason: "NotServed",
                message: "\(object): the API server does not serve kind \(object.kind) of \(object.apiVersion)"
            )
        }
        return found
    }
}
