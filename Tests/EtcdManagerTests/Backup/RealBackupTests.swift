// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import NodeOS
import StateStore
import SystemPackage
import Testing

@testable import EtcdManager

/// Backups of real etcds, brought back by real etcds.
@Suite(
    .serialized,
    .enabled(if: SourceEtcd.isThere, "no etcd with etcdutl is installed for tests: packaging/test-etcd"),
    .timeLimit(.minutes(5))
)
struct RealBackupTests {
    private static let keyring = Keyring(cluster: "a.example.com", notAfter: .distantFuture)

    /// Taken, listed, proven and restored beside the original: the data is there, and no client can miss that time was lost.
    @Test(arguments: SourceEtcd.releases.map(\.release), [false, true])
    func whatWasTakenComesBack(_ release: String, _ isSealed: Bool) async throws {
        try await RealBackup.run(release) { it in
            let key = isSealed ? try Self.keyring.key(of: .controlPlane) : nil
            let record = try await it.take(sealedTo: [key?.recipient].compactMap(\.self))
            #expect(record.snapshot.revision == it.revision && record.snapshot.keys == 12)
            #expect(record.snapshot.hashKV != nil && record.etcdRelease == release)
            #expect(try await it.backups.list().map(\.name) == [record.name])
            let tried = try await it.prover(key: key).proveDue()
            #expect(tried.map(\.proof?.damage) == [nil])
            let listed = try #require(await it.backups.list().first)
            #expect(listed.standing == .proven && listed.proof?.comparedHash == true)
            #expect(try await LiveNode().list(it.scene.directory).filter { $0.contains("scratch") } == [])

            let target = it.scene.directory.appending("restored")
            try await it.restore(record.name, into: target, key: key)
            let restored = try SourceEtcd(it.source.tools, in: target)
            try await restored.running(token: "t") { etcd in
                let data = try await etcd.commands.data(at: 0)
                #expect(data.keys == 12 && data.revision == record.snapshot.revision + 1_000_000_000)
                #expect(try await etcd.etcdctl("get", "/k/7", "--print-value-only") == "second\n")
                #expect(try await etcd.etcdctl("get", "/k/0") == "")
                // The client of before, which asks for what came after the last change it saw.
                let watch = await #expect(throws: Failure.self) {
                    try await etcd.etcdctl("watch", "/k/7", "--rev=3")
                }
                #expect(watch?.message.contains("compacted") == true, "\(watch?.message ?? "")")
                let gateway = EtcdGateway(http: CurlClient(), identity: nil)
                #expect(try await gateway.clearStaleLeases(at: etcd.endpoint) == 1)
                #expect(try await gateway.clearStaleLeases(at: etcd.endpoint) == 0)
                #expect(try await etcd.commands.data(at: 0).keys == 11)
            }
            // Never over data, whoever asks for it.
            let failure = await #expect(throws: Failure.self) {
                try await it.restore(record.name, into: target, key: key)
            }
            #expect(failure?.code == "restore-over-data")
        }
    }

    /// etcd counts revisions from 1, and its file from 0.
    @Test(arguments: SourceEtcd.releases.map(\.release))
    func anEtcdThatHoldsNothingIsProvenAsWell(_ release: String) async throws {
        try await RealBackup.run(release, filled: false) { it in
            let record = try await it.take()
            #expect(record.snapshot.keys == 0)
            #expect(try await it.prover().proveDue().map(\.proof?.damage) == [nil])
        }
    }

    @Test func anyFlippedBitFailsTheProof() async throws {
        try await RealBackup.run("3.4.23") { it in
            let record = try await it.take()
            #expect(record.chunks.count > 2)
            for object in record.chunks.map(\.name) + [BackupStore.recordName] {
                let place = try it.backups.key(record.name, object)
                let good = try #require(await it.scene.memory.read(place)).bytes
                var bad = good
                bad[bad.count / 2] ^= 0x08
                try await it.scene.memory.write(bad, to: place, when: .always)
                let backup = try #require(await it.backups.find(record.name))
                let proof = try await it.prover().prove(backup)
                let isRecord = object == BackupStore.recordName
                #expect(
                    proof.damage?.code.hasPrefix(isRecord ? "backup-" : "backup-chunk-damaged") == true,
                    "\(object)"
                )
                #expect(try await it.backups.list().map(\.standing) == [.failed])
                let failure = await #expect(throws: (any Error).self) {
                    try await it.restore(record.name, into: it.scene.directory.appending("restored"))
                }
                #expect((failure as? Failure)?.code == proof.damage?.code)
                try await it.scene.memory.write(good, to: place, when: .always)
            }
            #expect(try await LiveNode().status(of: it.scene.directory.appending("restored")) == nil)
            let backup = try #require(await it.backups.find(record.name))
            #expect(try await it.prover().prove(backup).isGood)
        }
    }

    /// A record that says more than the data holds, with a checksum of its own: only an etcd that serves the data finds it.
    @Test func aRecordThatLiesFailsTheProof() async throws {
        try await RealBackup.run("3.4.23") { it in
            let record = try await it.take()
            let lies: [(inout SnapshotFacts) -> Void] = [
                { $0.revision += 1 }, { $0.keys = 11 }, { $0.records += 1 }, { $0.hash ^= 1 }, { $0.hashKV?.hash ^= 1 },
            ]
            for lie in lies {
                var forged = record
                lie(&forged.snapshot)
                let proof = try await it.prover().prove(StoredBackup(name: record.name, record: forged))
                #expect(proof.damage?.code == "backup-differs")
            }
            // etcd itself refuses bytes that nobody's checksum was made for.
            let file = it.scene.directory.appending("junk")
            try await LiveNode().write(Array(repeating: 7, count: 100_000), to: file, attributes: FileAttributes())
            let junk = BackupScene.record(Array(repeating: 7, count: 100_000), revision: 99)
            let stored = try await it.backups.upload(file, as: junk)
            let proof = try await it.prover().prove(StoredBackup(name: stored.name, record: stored))
            #expect(proof.damage?.code == "backup-snapshot-unreadable")
        }
    }

    @Test func aBackupOfAnotherClusterOrANewerReleaseIsRefused() async throws {
        try await RealBackup.run(try #require(SourceEtcd.restorer).release) { it in
            let record = try await it.take()
            let target = it.scene.directory.appending("restored")
            for change: (inout BackupSource) -> Void in [
                { $0.identity = "4567" }, { $0.clusterName = "b.example.com" }, { $0.etcdCluster = "events" },
            ] {
                var source = BackupScene.source
                change(&source)
                let failure = await #expect(throws: Failure.self) {
                    try await it.restore(record.name, into: target, of: source)
                }
                #expect(failure?.code == "backup-foreign" && failure?.kind == .permanent)
            }
            var restored = BackupScene.source
            restored.epoch += 1
            let old = try #require(SourceEtcd.releases.first { $0.release == "3.4.23" })
            let newer = await #expect(throws: Failure.self) {
                try await it.restore(record.name, into: target, of: restored, tools: old)
            }
            #expect(newer?.code == "backup-newer" && newer?.hint?.contains(record.etcdRelease) == true)
            let backup = try #require(await it.backups.find(record.name))
            let unproven = await #expect(throws: Failure.self) { try await it.prover(tools: old).prove(backup) }
            #expect(unproven?.code == "backup-newer")
            #expect(try await it.backups.find(record.name)?.standing == .unproven)
            let tool = await #expect(throws: Failure.self) {
                try await it.restore(record.name, into: target, of: restored, restorer: old)
            }
            #expect(tool?.code == "restore-tool-old")
            let nothing = await #expect(throws: Failure.self) {
                try await it.restore(BackupName(taken: BackupScene.now, revision: 9), into: target)
            }
            #expect(nothing?.code == "backup-not-found")
            #expect(try await LiveNode().status(of: target) == nil)
            try await it.restore(record.name, into: target, of: restored)
        }
    }

    /// What a run that was killed has left does not hinder the next one.
    @Test func leftoversAreSwept() async throws {
        try await RealBackup.run("3.4.23") { it in
            for name in ["backup.scratch", "proof.scratch", "restore.scratch"] {
                let folder = it.scene.directory.appending(name)
                try await LiveNode().makeDirectory(folder.appending("data"), attributes: FileAttributes())
                try await LiveNode().write([1], to: folder.appending("snapshot.db"), attributes: FileAttributes())
            }
            let record = try await it.take()
            #expect(try await it.prover().proveDue().map(\.standing) == [.proven])
            try await it.restore(record.name, into: it.scene.directory.appending("restored"))
            #expect(try await LiveNode().list(it.scene.directory).filter { $0.contains("scratch") } == [])
        }
    }

    /// The disk fills while etcd's client writes, and while the prover does: said as such, and nothing stays.
    @Test func aFullDiskIsDeclared() async throws {
        try await RealBackup.run("3.4.23") { it in
            let record = try await it.take()
            let small = it.scene.directory.appending("small")
            let node = LiveNode()
            try await node.makeDirectory(small, attributes: FileAttributes())
            try await node.mount(
                MountEntry(source: "tmpfs", path: small, filesystem: "tmpfs", options: ["size=16k", "mode=0700"])
            )
            do {
                let backup = try #require(await it.backups.find(record.name))
                let target = small.appending("data")
                for space in [FreeSpace(), FreeSpace(reserve: 0) { _ in .max }] {
                    let attempts: [() async throws -> Void] = [
                        { _ = try await it.take(in: small, space: space) },
                        { _ = try await it.prover(in: small, space: space).prove(backup) },
                        { try await it.restore(record.name, into: target, space: space) },
                    ]
                    for attempt in attempts {
                        let failure = await #expect(throws: Failure.self) { try await attempt() }
                        #expect(
                            failure?.code == "backup-disk-full" && failure?.kind == .permanent,
                            "\(failure?.chain ?? "")"
                        )
                        #expect(try await node.list(small) == [])
                    }
                }
            } catch {
                try? await node.unmount(small)
                throw error
            }
            try await node.unmount(small)
            #expect(try await it.backups.list().map(\.standing) == [.unproven])
        }
    }
}
