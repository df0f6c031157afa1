// SPDX-License-Identifier: Apache-2.0

/// How one add-on fared in one pass.
public struct AddonResult: Sendable, Equatable {
    /// What became of an add-on.
    public enum Outcome: Sendable, Equatable {
        /// So many of its objects were created or changed.
        case applied(changed: Int)
        /// The cluster held it already.
        case unchanged
        /// At least one object was refused; `reason` names the first, `retryable` says that time may heal it.
        case failed(reason: String, retryable: Bool)
    }

    /// The add-on's name.
    public var name: String
    /// What became of it.
    public var outcome: Outcome

    /// Makes a result from its parts.
    public init(name: String, outcome: Outcome) {
        self.name = name
        self.outcome = outcome
    }

    /// Whether it is in the cluster as declared.
    public var succeeded: Bool {
        if case .failed = outcome { return false }
        return true
    }
}
