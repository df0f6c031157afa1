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
        var unfinished: Set<String>
        var seed: Seeded
        var expired: [BackupName] { policy.expired(backups, now: now, unfinished: unfinished) }
        var kept: [StoredBackup] {
            let expired = Set(expired)
            return backups.filter { !expired.contains($0.name) }
        }
        var past: [StoredBackup] { backups.filter { $0.name.taken <= now }.sorted { $0.name < $1.name } }
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
        let unfinished: Set<String> = Bool.random(using: &random) ? ["upgrade"] : []
        return Case(
            backups: backups.values.shuffled(using: &random),
            policy: policy,
            now: now,
            unfinished: unfinished,
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
            if case .before(let step)? = backup.record?.reason { #expect(!it.unfinished.contains(step), "\(it)") }
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
        let pinned = it.backups.count { backup in
            guard case .before(let step)? = backup.record?.reason else { return false }
            return it.unfinished.contains(step)
        }
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
