// SPDX-License-Identifier: Apache-2.0

/// Changes that happen together, or not at all.
///
/// - Source: etcd v3.4 `etcdserverpb/rpc.proto`, `TxnRequest`; no key may be changed twice in one.
public struct EtcdTransaction: Sendable, Equatable {
    /// How many conditions and how many changes a member takes unless told otherwise (`--max-txn-ops`).
    public static let capacity = 128

    /// What has to be so for the changes to happen.
    public enum Condition: Sendable, Equatable {
        /// The key was last changed by this revision; 0: it is not there.
        case modRevision(key: [UInt8], Int64)
    }

    /// A change.
    public enum Change: Sendable, Equatable {
        /// Sets a key; with a lease, 0 for none, it goes away with that.
        case put(key: [UInt8], value: [UInt8], lease: Int64)
        /// Deletes one key.
        case delete(key: [UInt8])
    }

    /// All of them have to hold.
    public var conditions: [Condition]
    /// They happen in one revision.
    public var changes: [Change]

    /// Makes a transaction from its parts.
    public init(conditions: [Condition] = [], changes: [Change]) {
        self.conditions = conditions
        self.changes = changes
    }
}

/// What became of a transaction.
public struct EtcdOutcome: Sendable, Equatable {
    /// Whether the conditions held, so that the changes happened.
    public var isDone: Bool
    /// The store's revision thereafter.
    public var revision: Int64

    /// Makes an outcome from its parts.
    public init(isDone: Bool, revision: Int64) {
        self.isDone = isDone
        self.revision = revision
    }
}
