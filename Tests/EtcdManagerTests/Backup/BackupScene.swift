// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import StateStore
import SystemPackage

@testable import EtcdManager

/// A store, a directory that goes away, and snapshots that are just bytes.
struct BackupScene: Sendable {
    static let layout = ClusterLayout(clusterName: "a.example.com")
    static let source = BackupSource(clusterName: "a.example.com", etcdCluster: "main", identity: "0123", epoch: 1)
    static let now = Date(timeIntervalSince1970: 1_795_644_900)

    let directory: FilePath
    let memory = MemoryStore()

    static func run(_ body: (BackupScene) async throws -> Void) async throws {
        let node = LiveNode()
        let directory = FilePath("/tmp/backup-test-\(UInt64.random(in: .min ... .max))")
        try await node.makeDirectory(directory, attributes: FileAttributes(mode: 0o700))
        do {
            try await body(BackupScene(directory: directory))
        } catch {
            try? await node.remove(directory)
            throw error
        }
        try await node.remove(directory)
    }

    /// Small pieces, so that a small snapshot has many.
    func backups(_ store: (any StateStore)? = nil) -> BackupStore {
        BackupStore(store: store ?? memory, layout: Self.layout, etcdCluster: "main", chunkSize: 1000)
    }

    /// A file of that many bytes, and its record.
    func snapshot(
        _ size: Int = 4500,
        taken: Date = Self.now,
        revision: Int64 = 7
    ) async throws -> (file: FilePath, record: BackupRecord) {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let file = directory.appending("snapshot-\(size)")
        try await LiveNode().write(bytes, to: file, attributes: FileAttributes(mode: 0o600))
        return (file, Self.record(bytes, taken: taken, revision: revision))
    }

    static func record(
        _ bytes: [UInt8],
        taken: Date = now,
        revision: Int64 = 7,
        reason: BackupReason = .scheduled
    ) -> BackupRecord {
        BackupRecord(
            name: BackupName(taken: taken, revision: revision),
            source: source,
            member: "a",
            etcdRelease: "3.4.23",
            reason: reason,
            taken: taken.formatted(.iso8601),
            snapshot: SnapshotFacts(
                size: Int64(bytes.count),
                sha256: hexSHA256(bytes),
                hash: 4_000_000_000,
                revision: revision,
                keys: 4,
                records: 10,
                hashKV: KVHash(hash: 1, compactRevision: -1)
            ),
            chunks: [],
            encryption: nil
        )
    }
}
