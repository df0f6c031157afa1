// SPDX-License-Identifier: Apache-2.0

/// What is known of a snapshot, so that whoever restores it can tell whether all of it has come back.
public struct SnapshotFacts: Codable, Sendable, Equatable {
    /// In bytes.
    public var size: Int64
    /// The SHA-256 of the file, 64 hex digits.
    public var sha256: String
    /// etcd's own checksum of everything in the file, as `snapshot status` prints it.
    public var hash: UInt32
    /// The newest revision of the data.
    public var revision: Int64
    /// How many keys there are at that revision; `nil` when the member could not be asked.
    public var keys: Int64?
    /// How many records the file holds: old revisions and etcd's own among them.
    public var records: Int64
    /// etcd's checksum of keys and values; `nil` when the member could not be asked.
    public var hashKV: KVHash?

    /// Makes facts from their parts.
    public init(
        size: Int64,
        sha256: String,
        hash: UInt32,
        revision: Int64,
        keys: Int64?,
        records: Int64,
        hashKV: KVHash?
    ) {
        self.size = size
        self.sha256 = sha256
        self.hash = hash
        self.revision = revision
        self.keys = keys
        self.records = records
        self.hashKV = hashKV
    }
}

/// etcd's checksum of its keys and values up to a revision.
///
/// Two of them compare only where both were compacted at the same revision and computed by the same release: what
/// counts towards it has changed between patch releases.
///
/// - Source: etcd v3.4 `rpc.proto`, HashKV; etcd issue 18274.
public struct KVHash: Codable, Sendable, Equatable {
    /// The checksum.
    public var hash: UInt32
    /// Up to where old revisions had been dropped; -1: nowhere.
    public var compactRevision: Int64

    /// Makes a checksum from its parts.
    public init(hash: UInt32, compactRevision: Int64) {
        self.hash = hash
        self.compactRevision = compactRevision
    }
}
