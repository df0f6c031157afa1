// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import StateStore
import Synchronization
import SystemPackage
import Testing

@testable import EtcdManager

/// Days of passes, and what people are shown.
@Suite struct BackupKeeperTests {
    private final class Days: Sendable {
        let scene: BackupScene
        let time = Mutex(BackupScene.now)
        let attempts = BackupAttempts()
        init(_ scene: BackupScene) { self.scene = scene }

        var now: Date { time.withLock { $0 } }

        func keeper(_ runner: ScriptedEtcd, _ policy: BackupPolicy) -> BackupKeeper {
            let now: @Sendable () -> Date = { [self] in self.now }
            let status = EtcdStatus.of(1, leader: 1, release: "3.4.23", revision: 7)
            let backups = scene.backups()
            return BackupKeeper(
                backups: backups,
                taker: BackupTaker(
                    backups: backups,
                    node: LiveNode(),
                    etcd: ToldMembers(statuses: ["https://a:2379": status]),
                    runner: runner,
                    tools: ScriptedEtcd.tools,
                    client: nil,
                    directory: scene.directory,
                    space: FreeSpace { _ in .max },
                    now: now
                ),
                prover: BackupProver(
                    backups: backups,
                    node: LiveNode(),
                    runner: runner,
                    tools: ScriptedEtcd.tools,
                    key: nil,
                    directory: scene.directory,
                    space: FreeSpace { _ in .max },
                    now: now
                ),
                policy: policy,
                attempts: attempts,
                now: now
            )
        }

        /// As many minutes as that, a pass each; how many commands with a word were run, and how many passes failed.
        func minutes(_ count: Int, _ runner: ScriptedEtcd, running word: String) async throws -> [Int] {
            let (keeper, before) = (keeper(runner, .standard), runner.commands.count)
            var failed = 0
            for _ in 0..<count {
                if try await !pass(keeper).failures.isEmpty { failed += 1 }
                time.withLock { $0 += 60 }
            }
            return [runner.commands[before...].count { $0.arguments.contains(word) }, failed]
        }

        func pass(_ keeper: BackupKeeper) async throws -> BackupKeeper.Pass {
            try await keeper.pass(
                of: [BackupMember(name: "a", endpoint: "https://a:2379")],
                source: BackupScene.source
            )
        }
    }

    private static let policy = BackupPolicy(
        interval: 3600,
        proofInterval: 6 * 3600,
        retention: Retention(hourly: 4, daily: 2, monthly: 1)
    )

    @Test func daysGoByAndTheStoreStaysSmall() async throws {
        try await BackupScene.run { scene in
            let days = Days(scene)
            let keeper = days.keeper(ScriptedEtcd(), Self.policy)
            var (taken, tried) = (0, 0)
            for _ in 0..<(3 * 48) {
                let pass = try await days.pass(keeper)
                #expect(pass.failures.isEmpty)
                taken += pass.taken == nil ? 0 : 1
                tried += pass.tried.count
                #expect(pass.summary.count <= 8 && pass.summary.damaged == [])
                #expect(try #require(pass.summary.provenAge(now: days.now)) <= 6 * 3600)
                days.time.withLock { $0 += 1800 }
            }
            // Every hour, and every six hours the newest and the one not looked at for longest.
            #expect(taken == 72 && tried == 23)
        }
    }

    @Test func aFailingStepHindersNoOther() async throws {
        try await BackupScene.run { scene in
            let days = Days(scene)
            _ = try await days.pass(days.keeper(ScriptedEtcd(), Self.policy))
            days.time.withLock { $0 += 7 * 3600 }
            let broken = ScriptedEtcd { $0.arguments.contains("save") ? CommandResult(code: 1) : nil }
            let pass = try await days.pass(days.keeper(broken, Self.policy))
            #expect(pass.failures.count == 1 && pass.taken == nil && pass.tried.map(\.standing) == [.proven])
            // Damage is no failure of the pass: it is what a trial is for.
            let record = try #require(await scene.backups().list().first)
            let place = try scene.backups().key(record.name, "0")
            try await scene.memory.write([1], to: place, when: .always)
            days.time.withLock { $0 += 7 * 3600 }
            let later = try await days.pass(days.keeper(ScriptedEtcd(), Self.policy))
            #expect(later.failures.isEmpty && later.tried.map(\.standing) == [.proven, .failed])
            #expect(later.summary.damaged == ["\(record.name) (backup-chunk-damaged)"])
            #expect(
                later.summary.text(now: days.now)
                    == "2 backups, the last proven is 0s old; damaged: \(record.name) (backup-chunk-damaged)"
            )
        }
    }

    /// A disk that is full or a store that is gone stays so for a while, and a snapshot loads etcd's own disk.
    @Test func aBackupThatFailsIsTakenAgainAfterLongerPauses() async throws {
        try await BackupScene.run { scene in
            let days = Days(scene)
            let broken = ScriptedEtcd { $0.arguments.contains("save") ? CommandResult(code: 1) : nil }
            // After 0, 1, 3, 7, 15, 30, 45, 60, 75, 90, 105 and 120 minutes.
            let failing = try await days.minutes(121, broken, running: "save")
            #expect(failing == [12, 121], "the failure stays to be seen")
            let healed = ScriptedEtcd()
            #expect(try await days.minutes(15, healed, running: "save") == [1, 14])
            #expect(try await days.minutes(30, healed, running: "save") == [2, 0])
        }
    }

    @Test func aTrialThatCannotBeMadeIsMadeAgainAfterLongerPauses() async throws {
        try await BackupScene.run { scene in
            let days = Days(scene)
            // Its etcd is killed for want of memory.
            let broken = ScriptedEtcd { $0.arguments.contains("restore") ? CommandResult(code: 137) : nil }
            // After 0, 1, 3, 7, 15, 31, 63, 123 and 183 minutes.
            let failing = try await days.minutes(240, broken, running: "restore")
            #expect(failing == [9, 240])
            #expect(try await days.minutes(60, ScriptedEtcd(), running: "restore").first == 1)
            #expect(try await scene.backups().list().contains { $0.standing == .proven })
        }
    }

    @Test func theTableSaysWhatCanBeTrusted() throws {
        let now = BackupScene.now
        func backup(_ age: Double, _ standing: StoredBackup.Standing, _ size: Int64) throws -> StoredBackup {
            var record = BackupScene.record([1], taken: now.addingTimeInterval(-age), reason: .before("upgrade"))
            record.snapshot.size = size
            let proof = BackupProof(
                tried: now.addingTimeInterval(-60),
                etcdRelease: "3.4.23",
                record: "",
                comparedHash: true,
                damage: standing == .failed ? BackupDamage("backup-differs", "it differs") : nil
            )
            return StoredBackup(name: record.name, record: record, proof: standing == .unproven ? nil : proof)
        }
        var damaged = try backup(900_000, .failed, 1)
        (damaged.record, damaged.damage) = (nil, BackupDamage("backup-meta-damaged", "altered"))
        let all = try [
            damaged, backup(90, .unproven, 1023), backup(7300, .proven, 20_992), backup(200_000, .failed, 5 << 30),
        ]
        let shown = BackupTable.rows(all, now: now).map { $0.dropFirst().joined(separator: " | ") }
        #expect(
            shown == [
                "before: upgrade | 90s ago | 7 | 4 | 1023 B | never tried",
                "before: upgrade | 2h ago | 7 | 4 | 20.5 KiB | 60s ago",
                "before: upgrade | 2d ago | 7 | 4 | 5.0 GiB | NO: backup-differs",
                "? | 10d ago | 7 | ? | ? | NO: backup-meta-damaged",
            ]
        )
        #expect(BackupTable.columns.count == 7)
        #expect(BackupSummary(of: all).provenAge(now: now) == 7300)
        #expect(BackupSummary(of: []).text(now: now) == "0 backups, none is proven")
    }
}
