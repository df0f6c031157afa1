// SPDX-License-Identifier: Apache-2.0

/// How far a migration has come, kept where the next one to go on finds it.
public struct MigrationState: Sendable, Equatable, Codable {
    /// The steps in their order.
    public enum Phase: String, Sendable, Codable, CaseIterable {
        /// Version 3 was empty; nothing is written yet.
        case planned
        /// Keys of version 3 are written.
        case copying
        /// Both versions were equal, key by key.
        case verified
        /// Version 3 is what counts; there is no way back.
        case switched
    }

    /// How far.
    public var phase: Phase
    /// The cluster it is about, as etcd numbers it.
    public var clusterID: UInt64
    /// The number of version 2's last change that version 3 is known to have; 0: none.
    public var index: UInt64
    /// How many keys there were then.
    public var keys: Int

    /// Makes a state from its parts.
    public init(phase: Phase, clusterID: UInt64, index: UInt64 = 0, keys: Int = 0) {
        self.phase = phase
        self.clusterID = clusterID
        self.index = index
        self.keys = keys
    }
}

/// Keeps one migration's state; what is written survives the writer.
public protocol MigrationRecord: Sendable {
    /// What was last written; `nil`: nothing, or a migration was rolled back.
    func read() async throws -> MigrationState?
    /// Replaces it.
    func write(_ state: MigrationState?) async throws
}
