// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeTesting
import Testing

@testable import EtcdManager

/// What may be deleted, for any set of backups.
@Suite struct RetentionTests {
    private struct Case: CustomStringConvertible {
        var backups: [StoredBackup]
        var policy: Retention
        var now: Date
        var needed: Set<BackupName>
        var seed: Seeded
        var expired: [BackupName] { policy.expired(backups, now: now, needed: needed) }
        var kept: [StoredBackup] {
            let expired = Set(expired)
            return backups.filter { !expired.contains($0.name) }
        }
        var past: [StoredBackup] { backups.filter { $0.name.taken <= now }.sorted { $0.name < $1.name } }
        func isPinned(_ backup: StoredBackup) -> Bool {
            let isYoung = now.timeIntervalSince(backup.name.taken) < 7 * 86_400
            return needed.contains(backup.name) || isYoung && backup.record.map { $0.reason != .scheduled } == true
        }
        var description: String { "\(seed): \(policy), \(backups.map { "\($0.name) \($0.standing)" })" }
    }

    private static func make(_ seed: UInt64) -> Case {
        var random = Seeded(seed)
        let now = BackupScene.now
        let span = [7200, 86_400 * 3, 86_400 * 120, 86_400 * 900].randomElement(using: &random) ?? 7200
        var backups: [BackupName: StoredBackup] = [:]
        for revision in 0..<Int64.random(in: 0..<60, using: &random) {
            let taken = now.addingTimeInterval(-Double(Int.random(in: -600..<span, using: &random)))
            let reason: BackupReason =
                [.scheduled, .asked(1), .before("upgrade"), .before("restore")]
                .randomElement(using: &random) ?? .asked(1)
            let record = BackupScene.record([1], taken: taken, revision: revision, reason: reason)
            let proof = { damage in
                BackupProof(tried: now, etcdRelease: "3.4.23", record: "", comparedHash: true, damage: damage)
            }
            var backup = StoredBackup(name: record.name, record: record)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: backup.proof = proof(BackupDamage("backup-chunk-damaged", "piece 0"))
            case 1...2: backup.proof = proof(nil)
            case 3: (backup.record, backup.damage) = (nil, BackupDamage("backup-meta-damaged", "its record"))
            default: break
            }
            backups[backup.name] = backup
        }
        let policy = Retention(
            hourly: Int.random(in: 0..<6, using: &random),
            daily: Int.random(in: 0..<6, using: &random),
            monthly: Int.random(in: 0..<6, using: &random)
        )
        let needed = Set(backups.keys.sorted().filter { _ in Int.random(in: 0..<10, using: &random) == 0 })
        return Case(
            backups: backups.values.shuffled(using: &random),
            policy: policy,
            now: now,
            needed: needed,
            seed: Seeded(seed)
        )
    }

    @Test(arguments: Seeded.seeds(200)) func whatMustStayStays(_ seed: UInt64) {
        let it = Self.make(seed)
        let expired = Set(it.expired)
        if let newest = it.past.last { #expect(!expired.contains(newest.name), "\(it)") }
        if let proven = it.past.last(where: { $0.standing == .proven }) {
            #expect(!expired.contains(proven.name), "\(it)")
        }
        for backup in it.backups {
            guard expired.contains(backup.name) else { continue }
            #expect(backup.name.taken <= it.now, "\(it)")
            #expect(!it.isPinned(backup), "\(it)")
        }
    }

    @Test(arguments: Seeded.seeds(200)) func deletingOnceIsEnough(_ seed: UInt64) {
        var it = Self.make(seed)
        it.backups = it.kept
        #expect(it.expired == [], "\(it)")
    }

    @Test(arguments: Seeded.seeds(200)) func orderDoesNotMatter(_ seed: UInt64) {
        var it = Self.make(seed)
        let expired = it.expired
        it.backups.reverse()
        #expect(it.expired == expired && expired == expired.sorted(), "\(it)")
    }

    /// As many as the policy says and those that stay anyway.
    @Test(arguments: Seeded.seeds(200)) func noMoreThanWantedAreKept(_ seed: UInt64) {
        let it = Self.make(seed)
        let pinned = it.backups.count { it.isPinned($0) }
        let kept = it.kept.count { $0.name.taken <= it.now }
        #expect(kept <= it.policy.hourly + it.policy.daily + it.policy.monthly + 2 + pinned, "\(it)")
    }

    /// The newest hours, days and months that have any still have one, as good as their best was.
    @Test(arguments: Seeded.seeds(200)) func everySpanKeepsItsBest(_ seed: UInt64) {
        let it = Self.make(seed)
        let spans: [(Int, (BackupName) -> Substring)] = [
            (it.policy.hourly, \.hour), (it.policy.daily, \.day), (it.policy.monthly, \.month),
        ]
        for (count, span) in spans {
            let all = Dictionary(grouping: it.past) { span($0.name) }
            let kept = Dictionary(grouping: it.kept.filter { $0.name.taken <= it.now }) { span($0.name) }
            for name in all.keys.sorted().suffix(count) {
                let best = all[name]?.map(\.standing).max()
                #expect(kept[name]?.map(\.standing).max() == best, "\(it): \(name)")
            }
        }
    }

    /// A longer policy never loses what a shorter one keeps.
    @Test(arguments: Seeded.seeds(200)) func aWiderPolicyKeepsMore(_ seed: UInt64) {
        var it = Self.make(seed)
        let expired = Set(it.expired)
        it.policy.hourly += 1
        it.policy.monthly += 1
        #expect(Set(it.expired).isSubset(of: expired), "\(it)")
    }

    /// The next scheduled backup does not take the place of the one before a step, which alone holds what the step lost.
    @Test(arguments: [BackupReason.before("restore 20261125T221500Z-000123"), .before("remove c"), .asked(3)])
    func whatAStepOrAnOperatorWantedStaysForAWeek(_ reason: BackupReason) {
        func backup(_ minute: Double, _ reason: BackupReason) -> StoredBackup {
            let taken = BackupScene.now.addingTimeInterval(60 * minute)
            let record = BackupScene.record([1], taken: taken, revision: Int64(minute), reason: reason)
            return StoredBackup(name: record.name, record: record)
        }
        let (wanted, next) = (backup(0, reason), backup(1, .scheduled))
        func expired(after days: Double, _ policy: Retention = .standard) -> [BackupName] {
            let now = BackupScene.now.addingTimeInterval(86_400 * days)
            return policy.expired([wanted, next], now: now, needed: [])
        }
        #expect(expired(after: 1 / 24) == [] && expired(after: 6.9) == [] && expired(after: 7) == [wanted.name])
        #expect(expired(after: 1, Retention(hourly: 0, daily: 0, monthly: 0)) == [])
    }

    @Test func aRestoreNeedsItsBackupFromTheCommandToItsEnd() throws {
        let (old, other) = ("20261125T221500Z-000123", "20261125T221500Z-000007")
        var record = ClusterRecord(clusterName: "a.example.com", etcdCluster: "main", id: "0", founder: "a")
        func needed(_ command: OperatorCommand?) -> Set<String> {
            Set(BackupName.needed(by: record, command: command).map(\.description))
        }
        let command = OperatorCommand(id: "1", restore: old, lost: [])
        #expect(needed(nil) == [] && needed(command) == [old])
        record.operation = .restore(Operation.Restore(command: "1", backup: old, lost: []))
        record.lastCommand = "1"
        #expect(needed(command) == [old])
        #expect(needed(OperatorCommand(id: "2", restore: other, lost: [])) == [old, other])
        record.operation = nil
        #expect(needed(command) == [])
        #expect(needed(OperatorCommand(id: "2", restore: "nonsense", lost: [])) == [])
    }

    @Test func namesAreReadBackAndSortByTime() throws {
        let name = BackupName(taken: BackupScene.now, revision: 123)
        #expect(name.description == "20261125T221500Z-000123" && name.taken == BackupScene.now)
        #expect(BackupName(name.description) == name)
        let long = BackupName(taken: BackupScene.now, revision: 1_000_000_007)
        #expect(long.description == "20261125T221500Z-1000000007" && name < long)
        #expect(BackupName(taken: BackupScene.now.addingTimeInterval(1), revision: 1) > long)
        for text in [
            "", "20261125T221500Z", "20261125T221500Z-123", "20261125T221500Z--00123", "2026-11-25T22:15-000123",
            "20261125T221500Z-0000123", "20261325T221500Z-000123", "../../../../../etc/passwd",
            "20261125T221500Z-00012x",
        ] { #expect(BackupName(text) == nil, "\(text)") }
    }
}
