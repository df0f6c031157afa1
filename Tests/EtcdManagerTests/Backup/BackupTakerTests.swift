// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import StateStore
import SystemPackage
import Testing

@testable import EtcdManager

/// Whom a backup is taken of, by which commands, and what is left when it fails.
@Suite struct BackupTakerTests {
    private static func status(
        _ id: UInt64,
        leader: UInt64,
        applied: UInt64 = 10,
        isLearner: Bool = false
    ) -> EtcdStatus {
        EtcdStatus(
            version: "3.4.23",
            clusterID: 1,
            memberID: id,
            leader: leader,
            revision: 7,
            raftIndex: applied,
            raftAppliedIndex: applied,
            databaseSize: 2500,
            isLearner: isLearner
        )
    }

    private static func take(
        _ scene: BackupScene,
        _ statuses: [String: EtcdStatus],
        _ runner: ScriptedEtcd = ScriptedEtcd(),
        store: (any StateStore)? = nil,
        client: EtcdClientFiles? = nil,
        free: Int64 = .max
    ) async throws -> BackupRecord {
        try await BackupTaker(
            backups: scene.backups(store),
            node: LiveNode(),
            etcd: ToldMembers(statuses: statuses),
            runner: runner,
            tools: ScriptedEtcd.tools,
            client: client,
            directory: scene.directory,
            space: FreeSpace { _ in free },
            now: { BackupScene.now }
        ).take(
            of: ["a", "b", "c", "d"].map { BackupMember(name: $0, endpoint: "https://\($0):2379") },
            source: BackupScene.source,
            reason: .before("upgrade")
        )
    }

    private static func url(_ name: String) -> String { "https://\(name):2379" }

    @Test func aFollowerIsAskedBeforeTheLeader() async throws {
        let cases: [(String, [String: EtcdStatus])] = [
            (
                "b",
                [
                    Self.url("a"): Self.status(1, leader: 1), Self.url("b"): Self.status(2, leader: 1),
                    Self.url("c"): Self.status(3, leader: 1),
                ]
            ),
            (
                "c",
                [
                    Self.url("b"): Self.status(2, leader: 1, applied: 9),
                    Self.url("c"): Self.status(3, leader: 1, applied: 10),
                ]
            ),
            (
                "a",
                [
                    Self.url("a"): Self.status(1, leader: 1),
                    Self.url("d"): Self.status(4, leader: 1, applied: 99, isLearner: true),
                ]
            ),
            // Better the leader than one that has lost it, and better that one than none.
            ("a", [Self.url("a"): Self.status(1, leader: 1), Self.url("b"): Self.status(2, leader: 0, applied: 99)]),
            ("d", [Self.url("d"): Self.status(4, leader: 0)]),
        ]
        for (expected, statuses) in cases {
            try await BackupScene.run { scene in
                let record = try await Self.take(scene, statuses)
                #expect(record.member == expected)
                #expect(try await scene.backups().record(of: record.name) == record)
            }
        }
        try await BackupScene.run { scene in
            for statuses in [[:], [Self.url("d"): Self.status(4, leader: 1, isLearner: true)]] {
                let failure = await #expect(throws: Failure.self) { try await Self.take(scene, statuses) }
                #expect(failure?.code == "backup-no-member" && failure?.kind == .waiting)
                #expect(failure?.message.contains("a (https://a:2379), b") == true)
            }
        }
    }

    @Test func theRecordSaysWhatWasFound() async throws {
        try await BackupScene.run { scene in
            let client = EtcdClientFiles(authority: "/pki/ca.crt", certificate: "/pki/c.crt", key: "/pki/c.key")
            let runner = ScriptedEtcd()
            let record = try await Self.take(scene, [Self.url("a"): Self.status(1, leader: 1)], runner, client: client)
            #expect(record.name.description == "20261125T221500Z-000007" && record.taken == "2026-11-25T22:15:00Z")
            #expect(record.reason == .before("upgrade") && record.source == BackupScene.source)
            #expect(
                record.snapshot
                    == SnapshotFacts(
                        size: 2500,
                        sha256: hexSHA256(ScriptedEtcd.snapshot),
                        hash: 1_709_517_475,
                        revision: 7,
                        keys: 4,
                        records: 10,
                        hashKV: KVHash(hash: 727_962_906, compactRevision: -1)
                    )
            )
            let file = try #require(
                runner.commands.compactMap { $0.arguments.last }.first { $0.hasSuffix("/snapshot.db") }
            )
            let connection = "--endpoints=https://a:2379 --cacert=/pki/ca.crt --cert=/pki/c.crt --key=/pki/c.key"
            let probing = "--dial-timeout=10s --command-timeout=10s --write-out=json"
            let waiting = "--dial-timeout=60s --command-timeout=60s --write-out=json"
            #expect(
                runner.commands.map { ([$0.program] + $0.arguments).joined(separator: " ") } == [
                    "/opt/etcdctl \(connection) \(probing) get  --from-key --limit=1 --keys-only --consistency=s",
                    "/opt/etcdctl \(connection) snapshot save \(file)",
                    "/opt/etcdctl snapshot status \(file) --write-out=json",
                    "/opt/etcdctl \(connection) \(waiting) get  --from-key --limit=1 --keys-only --consistency=s --rev=7",
                    "/opt/etcdctl \(connection) \(waiting) endpoint hashkv --rev=7",
                ]
            )
        }
    }

    /// The code of what a backup fails with; nothing of it may be left.
    private func code(
        _ scene: BackupScene,
        _ runner: ScriptedEtcd = ScriptedEtcd(),
        store: (any StateStore)? = nil,
        free: Int64 = .max
    ) async throws -> String {
        var code = "none"
        do {
            let one = [Self.url("a"): Self.status(1, leader: 1)]
            _ = try await Self.take(scene, one, runner, store: store, free: free)
        } catch let error as Failure {
            code = error.code
        } catch let error as StoreError {
            code = error.code
        }
        #expect(try await LiveNode().list(scene.directory) == [])
        #expect(try await scene.backups().list() == [])
        return code
    }

    private func failing(_ word: String, _ code: Int32, _ errors: String = "") -> ScriptedEtcd {
        let result = CommandResult(code: code, errors: Array(errors.utf8))
        return ScriptedEtcd { command in command.arguments.contains(word) ? result : nil }
    }

    @Test func whatFailsLeavesNothing() async throws {
        try await BackupScene.run { scene in
            let full = failing("save", 1, "write /x/snapshot.db.part: no space left on device")
            let runners = [
                ("backup-disk-full", full), ("etcd-not-answering", failing("get", 1)),
                ("backup-snapshot-failed", failing("save", 4)), ("etcd-tool-ended", failing("save", 137)),
                ("etcd-answer-unknown", failing("status", 0)),
            ]
            for (expected, runner) in runners {
                let found = try await code(scene, runner)
                #expect(found == expected)
            }
            let unwritten = try await code(scene, store: FullStore())
            #expect(unwritten == "store-unreadable")
            let crowded = try await code(scene, free: 256 << 20)
            #expect(crowded == "backup-disk-full")
        }
    }

    /// The snapshot is what counts; a member that dies right after it is no reason to have none.
    @Test func aMemberThatStopsAnsweringStillGaveItsSnapshot() async throws {
        try await BackupScene.run { scene in
            let runner = ScriptedEtcd { $0.arguments.contains("--rev=7") ? CommandResult(code: 1) : nil }
            let record = try await Self.take(scene, [Self.url("a"): Self.status(1, leader: 1)], runner)
            #expect(record.snapshot.keys == nil && record.snapshot.hashKV == nil && record.snapshot.revision == 7)
        }
    }
}
