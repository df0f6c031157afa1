// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import StateStore
import SystemPackage
import Testing

@testable import EtcdManager

/// What counts as damage, and what only says that a trial was not possible.
@Suite struct BackupProverTests {
    private static func prover(_ scene: BackupScene, _ runner: some CommandRunner) -> BackupProver {
        BackupProver(
            backups: scene.backups(),
            node: LiveNode(),
            runner: runner,
            tools: ScriptedEtcd.tools,
            key: nil,
            directory: scene.directory,
            space: FreeSpace { _ in .max },
            limit: .seconds(60),
            now: { BackupScene.now }
        )
    }

    private static func stored(_ scene: BackupScene, taken: Date = BackupScene.now) async throws -> StoredBackup {
        var record = BackupScene.record(ScriptedEtcd.snapshot, taken: taken)
        record.snapshot.hash = 1_709_517_475
        record.snapshot.hashKV = KVHash(hash: 727_962_906, compactRevision: -1)
        let file = scene.directory.appending("upload")
        try await LiveNode().write(ScriptedEtcd.snapshot, to: file, attributes: FileAttributes())
        let stored = try await scene.backups().upload(file, as: record)
        try await LiveNode().remove(file)
        return StoredBackup(name: record.name, record: stored)
    }

    @Test func onlyEtcdsOwnVerdictIsDamage() async throws {
        // Which command ends how, and what it means: the code of a damage, or of a failure that proves nothing.
        let cases: [(word: String, code: Int32, damage: String?, failure: String?)] = [
            ("--nothing", 0, nil, nil), ("status", 1, "backup-snapshot-unreadable", nil),
            ("status", 137, nil, "etcd-tool-ended"),
            ("restore", 1, "backup-not-restorable", nil), ("restore", 127, nil, "etcd-tool-ended"),
            ("--name=scratch", 2, "backup-not-serving", nil), ("--data-dir=data", 137, nil, "etcd-tool-ended"),
            ("hashkv", 1, nil, "etcd-not-answering"),
        ]
        for (word, code, damage, failure) in cases {
            try await BackupScene.run { scene in
                let isServer = word.hasPrefix("--") && code != 0
                let runner = ScriptedEtcd { command in
                    let isThis = command.arguments.contains(word) && (command.program == "timeout") == isServer
                    // While its server dies, its client still waits for it.
                    if isServer, command.arguments.contains("get") {
                        try await ContinuousClock().sleep(for: .seconds(3600))
                    }
                    return isThis ? CommandResult(code: code) : nil
                }
                let backup = try await Self.stored(scene)
                do {
                    let proof = try await Self.prover(scene, runner).prove(backup)
                    #expect(proof.damage?.code == damage && failure == nil, "\(word)")
                    #expect(try await scene.backups().find(backup.name)?.proof == proof)
                } catch let error as Failure {
                    #expect(error.code == failure, "\(word): \(error.chain)")
                    #expect(try await scene.backups().find(backup.name)?.standing == .unproven)
                }
                #expect(try await LiveNode().list(scene.directory) == [])
            }
        }
    }

    /// A checksum of another release, or of other compactions, says nothing.
    @Test func checksumsAreComparedWhereTheyCompare() async throws {
        try await BackupScene.run { scene in
            let backup = try await Self.stored(scene)
            let changes: [(Bool, (inout BackupRecord) -> Void)] = [
                (true, { _ in }), (false, { $0.etcdRelease = "3.4.22" }), (false, { $0.snapshot.hashKV = nil }),
                (false, { $0.snapshot.hashKV?.compactRevision = 5 }),
            ]
            for (isCompared, change) in changes {
                var record = try #require(backup.record)
                change(&record)
                let proof = try await Self.prover(scene, ScriptedEtcd())
                    .prove(StoredBackup(name: record.name, record: record))
                #expect(proof.isGood && proof.comparedHash == isCompared)
            }
        }
    }

    @Test(arguments: [
        ("3.4.23", nil), ("3.4.1", nil), ("3.5.21", nil), ("3.6.4", "backup-older"),
        ("3.7.0", "etcd-version-unsupported"),
    ])
    func aBackupIsServedByItsMinorAndTheNext(release: String, code: String?) {
        func refusal(_ record: BackupRecord) -> Failure? {
            do {
                try record.requireServable(by: release)
                return nil
            } catch {
                return error as? Failure
            }
        }
        let record = BackupScene.record([1])
        #expect(refusal(record)?.code == code)
        var newer = record
        newer.etcdRelease = "3.6.4"
        #expect((refusal(newer)?.code == "backup-newer") == (release < "3.6"))
    }

    @Test func theNewestUntriedAndTheOldestTrialAreDue() {
        func backup(_ minute: Double, tried: Double?) -> StoredBackup {
            let record = BackupScene.record([1], taken: BackupScene.now.addingTimeInterval(60 * minute))
            let proof = tried.map { hour in
                BackupProof(
                    tried: BackupScene.now.addingTimeInterval(3600 * hour),
                    etcdRelease: "3.4.23",
                    record: "",
                    comparedHash: true,
                    damage: nil
                )
            }
            return StoredBackup(name: record.name, record: record, proof: proof)
        }
        let all = [backup(1, tried: 5), backup(2, tried: 3), backup(3, tried: nil), backup(4, tried: nil)]
        func due(_ backups: some Sequence<StoredBackup>) -> [BackupName] {
            BackupProver.due(Array(backups), servedBy: "3.5.21")
        }
        #expect(due(all) == [all[3].name, all[1].name])
        #expect(due(all[..<2]) == [all[1].name])
        #expect(due(all[2...]) == [all[3].name])
        #expect(due([]) == [])
        #expect(BackupProver.due(all, servedBy: "3.6.4") == [], "another release's work")
        // What could not be tried lets the others have their turn, and has its own again.
        func due(after failures: [BackupName: Int]) -> [BackupName] {
            BackupProver.due(all, servedBy: "3.5.21", failures: failures)
        }
        #expect(due(after: [all[3].name: 1, all[1].name: 2]) == [all[2].name, all[0].name])
        #expect(due(after: [all[3].name: 1, all[2].name: 1, all[1].name: 1, all[0].name: 1]) == due(all))
    }

    /// One backup's key is gone: it does not end the rotation, and what the other trial found is told.
    @Test func whatCannotBeTriedKeepsNothingFromBeingTried() async throws {
        try await BackupScene.run { scene in
            let keyring = Keyring(cluster: "a.example.com", notAfter: .distantFuture)
            var sealed = BackupScene.record(ScriptedEtcd.snapshot, taken: BackupScene.now.addingTimeInterval(-600))
            let file = scene.directory.appending("upload")
            try await LiveNode().write(ScriptedEtcd.snapshot, to: file, attributes: FileAttributes())
            sealed = try await scene.backups().upload(
                file,
                as: sealed,
                sealedTo: [keyring.key(of: .controlPlane).recipient]
            )
            try await LiveNode().remove(file)
            let plain = try await Self.stored(scene, taken: BackupScene.now.addingTimeInterval(-900))
            let (prover, attempts) = (Self.prover(scene, ScriptedEtcd()), BackupAttempts())
            var tried: [StoredBackup] = []
            await #expect(throws: KeyringError.self) { try await prover.proveDue(after: attempts, into: &tried) }
            #expect(tried.isEmpty, "the newest is the sealed one")
            try await prover.proveDue(after: attempts, into: &tried)
            #expect(tried.map(\.name) == [plain.name])
            await #expect(throws: KeyringError.self) { try await prover.proveDue(after: attempts, into: &tried) }
            #expect(tried.map(\.name) == [plain.name, plain.name], "found although the other could not be tried")
        }
    }

    /// Told to stop while its etcd runs, a trial ends that etcd and leaves nothing.
    @Test(.enabled(if: SourceEtcd.isThere, "no etcd is installed for tests: packaging/test-etcd"))
    func aCancelledTrialLeavesNothing() async throws {
        try await RealBackup.run("3.4.23") { it in
            let record = try await it.take()
            let (started, start) = AsyncStream.makeStream(of: Void.self)
            let backup = try #require(await it.backups.find(record.name))
            let prover = it.prover(runner: NotifyingRunner { if $0.program == "timeout" { start.yield() } })
            let trial = Task { try await prover.prove(backup) }
            for await _ in started.prefix(1) { trial.cancel() }
            await #expect(throws: (any Error).self) { try await trial.value }
            #expect(try await LiveNode().list(it.scene.directory).filter { $0.contains("scratch") } == [])
            #expect(try await it.backups.find(record.name)?.standing == .unproven)
            let below = ["/proc", "-maxdepth", "2", "-name", "cwd", "-lname", "\(it.scene.directory)*"]
            let left = try await SubprocessRunner().result(of: Command("find", below))
            #expect(left.text == "", "a process still works below the directory")
        }
    }
}

/// Runs commands, and tells of each before.
private struct NotifyingRunner: CommandRunner {
    let notify: @Sendable (Command) -> Void
    init(_ notify: @escaping @Sendable (Command) -> Void) { self.notify = notify }
    func result(of command: Command) async throws -> CommandResult {
        notify(command)
        return try await SubprocessRunner().result(of: command)
    }
}
