// SPDX-License-Identifier: Apache-2.0
public import StateStore

/// What there is to know about a backup; a backup without a record does not exist.
///
/// - Shape: JSON, ``BackupRecord/encoded()``, at `etcd/<cluster>/backups/<name>/meta.json`.
public struct BackupRecord: Codable, Sendable, Equatable {
    /// What it is called.
    public var name: BackupName
    /// Whose data it is.
    public var source: BackupSource
    /// The member that was asked for it.
    public var member: String
    /// The release of etcd that this member ran, such as `3.4.23`.
    public var etcdRelease: String
    /// Why it was taken.
    public var reason: BackupReason
    /// When it was taken, ISO 8601 in UTC.
    public var taken: String
    /// What is in it.
    public var snapshot: SnapshotFacts
    /// The pieces of the snapshot, in order.
    public var chunks: [BackupChunk]
    /// To whom the pieces are sealed; `nil`: they are as etcd wrote them.
    public var encryption: BackupEncryption?
}

/// Whose data a backup holds.
public struct BackupSource: Codable, Sendable, Equatable {
    /// The cluster's DNS name.
    public var clusterName: String
    /// `main` or `events`.
    public var etcdCluster: String
    /// The etcd cluster's identity (``ClusterRecord/id``).
    public var identity: String
    /// How often that cluster had been restored.
    public var epoch: Int

    /// Makes a source from its parts.
    public init(clusterName: String, etcdCluster: String, identity: String, epoch: Int) {
        self.clusterName = clusterName
        self.etcdCluster = etcdCluster
        self.identity = identity
        self.epoch = epoch
    }
}

/// A piece of a snapshot as the store holds it.
public struct BackupChunk: Codable, Sendable, Equatable {
    /// Its name below the backup's, a number from 0.
    public var name: String
    /// In bytes, as stored.
    public var size: Int
    /// The SHA-256 of the stored bytes, 64 hex digits: it can be checked without a key.
    public var sha256: String
}

/// How a backup is sealed.
///
/// One random key seals the pieces (ChaCha20-Poly1305, RFC 8439), each with its number, the number of all and the
/// backup's place in the store authenticated; that key is sealed to each recipient (HPKE).
public struct BackupEncryption: Codable, Sendable, Equatable {
    /// The pieces' key, once for each recipient.
    public var key: SealedSecret
    /// Which keys open it.
    public var recipients: [String] { key.boxes.map(\.key) }
}
