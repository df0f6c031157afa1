// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import EtcdSimulation
import NodeTesting
import Testing

/// The manager among faults, on simulated machines; `make sim` runs many more.
@Suite struct SimulationTests {
    @Test func noPromiseIsBroken() async throws {
        let seeds = Seeded.seeds(2000)
        let first = try #require(seeds.first)
        let report = await Campaign(seeds: first..<first + UInt64(seeds.count)).run()
        #expect(report.schedules == seeds.count)
        for outcome in report.failures { Issue.record("TEST_SEED=\(outcome.seed): \(outcome.violations)") }
        #expect(seeds.count == 1 || report.converged > seeds.count / 4, "most end as declared: \(report.summary)")
        #expect(seeds.count == 1 || report.acknowledged > seeds.count, "and clients wrote: \(report.summary)")
    }

    @Test func aSeedIsOneRunByteForByte() async {
        for seed: UInt64 in [3, 14, 15] {
            let first = await Schedule(seed: seed, traced: true).run()
            let second = await Schedule(seed: seed, traced: true).run()
            #expect(first == second)
            #expect(first.trace.count > 300)
        }
    }

    /// Rules whose absence few schedules show; `make sim` leaves out each of the others, too.
    @Test(arguments: [
        "begin-never-beside-backups", "format-only-blank", "prepare-only-who-has-no-vote", "start-only-own-data",
        "start-never-emptied", "found-only-as-founder", "restart-only-with-quorum", "claim-never-anothers",
        "mount-unclaimed-only-exclusive",
    ]) func aMissingRuleIsFound(rule: String) async {
        let report = await Campaign(seeds: 1..<400, rules: .all.without(rule), stopsAtFailure: true).run()
        #expect(!report.failures.isEmpty, "\(report.schedules) schedules do not miss \(rule)")
    }
}
