// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Testing

@testable import EtcdManager

/// When backups count as they should be.
@Suite struct BackupHealthTests {
    private static let now = BackupScene.now
    private static let hour = 3600.0

    private func backup(_ age: Double, _ standing: StoredBackup.Standing) throws -> StoredBackup {
        let record = BackupScene.record([1], taken: Self.now.addingTimeInterval(-age))
        let proof = BackupProof(
            tried: Self.now,
            etcdRelease: "3.4.23",
            record: try record.digest(),
            comparedHash: true,
            damage: standing == .failed ? BackupDamage("backup-differs", "it differs") : nil
        )
        return StoredBackup(name: record.name, record: record, proof: standing == .unproven ? nil : proof)
    }

    private func fault(_ backups: [StoredBackup], begun age: Double?) -> String? {
        let begun = age.map { Self.now.addingTimeInterval(-$0).formatted(.iso8601) }
        return BackupHealth(of: backups, begun: begun, now: Self.now).fault
    }

    @Test func aYoungClusterIsGivenTheTimeToProveOne() throws {
        for age in [-60, 0, 60, 47 * Self.hour] {
            #expect(fault([], begun: age) == nil)
            #expect(try fault([backup(0, .unproven)], begun: age) == nil)
        }
        #expect(fault([], begun: 49 * Self.hour) == "no backup is proven, and etcd has run for 2d")
        #expect(try fault([backup(0, .unproven)], begun: 49 * Self.hour) != nil)
    }

    /// Neither a record that does not tell nor a clock that was wrong makes a cluster young.
    @Test func whoseAgeIsUnknownIsNotYoung() throws {
        for age in [nil, -301, -1e9] { #expect(fault([], begun: age)?.hasPrefix("no backup is proven") == true) }
        #expect(try fault([backup(0, .proven)], begun: nil) == nil)
        #expect(try fault([backup(-7200, .proven)], begun: nil) != nil)
    }

    @Test func theLastProvenGrowsTooOld() throws {
        let rest = try [backup(60, .unproven), backup(900 * Self.hour, .proven)]
        #expect(try fault(rest + [backup(47 * Self.hour, .proven)], begun: 1e7) == nil)
        #expect(
            try fault(rest + [backup(50 * Self.hour, .proven)], begun: 1e7)
                == "the last proven backup is 2d old, more than 2d"
        )
    }

    @Test func damageCountsUntilANewerBackupIsProven() throws {
        let damaged = try backup(3 * Self.hour, .failed)
        let found = try fault([damaged, backup(5 * Self.hour, .proven), backup(60, .unproven)], begun: 60)
        #expect(
            found
                == "backup \(damaged.name) cannot be restored, and none that is newer is proven: [backup-differs] it differs"
        )
        #expect(try fault([damaged, backup(60, .proven)], begun: 60) == nil)
    }

    /// A trial that found damage does not stand for a day: the next backup is tried as soon as it is there.
    @Test func aNewerBackupIsTriedAtOnceAfterDamage() throws {
        let policy = BackupPolicy.standard
        let damaged = try backup(900, .failed)
        #expect(try policy.isProofDue([damaged, backup(0, .unproven), backup(3600, .proven)], now: Self.now))
        #expect(try !policy.isProofDue([damaged, backup(3600, .unproven)], now: Self.now))
        #expect(try !policy.isProofDue([damaged, backup(60, .proven), backup(0, .unproven)], now: Self.now))
    }
}
