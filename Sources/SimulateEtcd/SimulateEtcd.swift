// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import EtcdManager
import EtcdSimulation

/// Runs the etcd manager through many schedules of faults, and counts broken promises.
@main
struct SimulateEtcd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate-etcd",
        abstract: "Runs the etcd manager through many schedules of faults."
    )

    @Option(help: "How many schedules.")
    var schedules = 100_000
    @Option(help: "The first seed.")
    var seed: UInt64 = 1
    @Option(help: "A safety rule to leave out, for the proof that its absence is found.")
    var without: String?
    @Flag(help: "Leave out each safety rule in turn, and end with status 1 where that is not found.")
    var mutations = false
    @Flag(help: "End at the first broken promise.")
    var first = false
    @Flag(help: "Print everything that happens; for a single schedule.")
    var trace = false

    func run() async throws {
        if mutations { return try await runMutations() }
        let rules = without.map(SafetyRules.all.without) ?? .all
        let report = await Campaign(
            seeds: seed..<seed + UInt64(schedules),
            rules: rules,
            traced: trace,
            stopsAtFailure: first
        ).run()
        for outcome in report.failures.prefix(10) {
            for line in outcome.trace { print(line) }
            print("seed \(outcome.seed): \(outcome.violations.joined(separator: "; "))")
        }
        if trace, report.failures.isEmpty { for line in report.lastTrace { print(line) } }
        print(report.summary)
        print("\(report.schedules) schedules, \(report.failures.count) violations")
        if !report.failures.isEmpty { throw ExitCode.failure }
    }

    /// How many schedules find each rule missing.
    private func runMutations() async throws {
        var missed: [String] = []
        for rule in Campaign.rulesFound {
            let seeds = seed..<seed + UInt64(schedules)
            let report = await Campaign(seeds: seeds, rules: .all.without(rule), stopsAtFailure: true).run()
            let what = report.failures.first?.violations.first
            print("without \(rule): \(what.map { "found by schedule \(report.schedules): \($0)" } ?? "not found")")
            if what == nil { missed.append(rule) }
        }
        print("\(Campaign.rulesFound.count) rules left out, \(missed.count) not found")
        if !missed.isEmpty { throw ExitCode.failure }
    }
}
