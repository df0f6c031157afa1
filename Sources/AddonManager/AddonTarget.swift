// SPDX-License-Identifier: Apache-2.0
public import KopsModel

/// The API server as far as add-ons need it.
///
/// The real one is ``KubeTarget``.
public protocol AddonTarget: Sendable {
    /// Creates or changes an object by server-side apply, taking over fields that others set.
    ///
    /// - Returns: Whether the cluster changed.
    /// - Throws: ``AddonError``.
    func apply(_ object: JSONValue) async throws -> Bool
}

/// Why an object could not be applied.
public enum AddonError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Trying again may help: no answer, an overloaded server, a kind that is not served yet.
    case transient(String)
    /// Trying again cannot help: the server refused the object.
    case permanent(String)

    /// The reason, in one line.
    public var description: String {
        switch self {
        case .transient(let reason), .permanent(let reason): reason
        }
    }

    /// Whether trying again may help.
    public var isTransient: Bool {
        if case .transient = self { return true }
        return false
    }
}
