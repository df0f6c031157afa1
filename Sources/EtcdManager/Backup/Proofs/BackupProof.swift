// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import StateStore

/// Whether a backup was brought back, and what differed.
///
/// - Shape: JSON at `etcd/<cluster>/backups/<name>/proof.json`; a later proof replaces it.
public struct BackupProof: Codable, Sendable, Equatable {
    /// When it was tried, ISO 8601 in UTC.
    public var tried: String
    /// The release of etcd that was started with the data; empty where it did not come to that.
    public var etcdRelease: String
    /// The digest of the record that it is a proof of; empty where there was none to be read.
    public var record: String
    /// Whether etcd's checksum of keys and values was compared as well.
    public var comparedHash: Bool
    /// What was wrong; `nil`: the backup is good.
    public var damage: BackupDamage?

    /// Whether all came back.
    public var isGood: Bool { damage == nil }

    func encoded() throws -> [UInt8] { try encodeForStore(self) }

    init?(decoding bytes: [UInt8]) {
        guard let proof = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else { return nil }
        self = proof
    }

    init(tried: Date, etcdRelease: String, record: String, comparedHash: Bool, damage: BackupDamage?) {
        self.tried = tried.formatted(.iso8601)
        self.etcdRelease = etcdRelease
        self.record = record
        self.comparedHash = comparedHash
        self.damage = damage
    }
}
