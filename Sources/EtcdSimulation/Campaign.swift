// SPDX-License-Identifier: Apache-2.0
public import EtcdManager

/// Many schedules, a few at a time.
public struct Campaign: Sendable {
    /// What came of them.
    public struct Report: Sendable {
        /// How many ran.
        public var schedules = 0
        /// Those that broke a promise, by seed.
        public var failures: [Schedule.Outcome] = []
        /// The trace of the last one.
        public var lastTrace: [String] = []
        /// How many were as declared in the end.
        public var converged = 0
        /// The writes that clients were told are kept, of all schedules.
        public var acknowledged = 0
        /// Incarnations of members, of all schedules.
        public var incarnations = 0

        /// One line for a person.
        public var summary: String {
            "\(converged) as declared in the end, \(acknowledged) writes acknowledged, \(incarnations) members joined"
        }
    }

    /// The rules whose absence schedules find; the others are backed by a second one, or by etcd itself.
    public static let rulesFound = [
        "claim-never-anothers", "mount-unclaimed-only-exclusive",
        "begin-never-beside-backups", "format-only-blank", "prepare-only-who-has-no-vote",
        "start-only-own-data", "start-never-emptied", "found-only-as-founder",
        "restart-only-with-quorum", "restart-only-in-turn", "remove-only-with-quorum", "remove-only-after-backup",
        "restore-only-when-all-stopped", "release-never-older", "release-never-skips",
    ]

    private let seeds: Range<UInt64>
    private let rules: SafetyRules
    private let traced: Bool
    private let stopsAtFailure: Bool

    /// Makes a campaign.
    public init(seeds: Range<UInt64>, rules: SafetyRules = .all, traced: Bool = false, stopsAtFailure: Bool = false) {
        self.seeds = seeds
        self.rules = rules
        self.traced = traced
        self.stopsAtFailure = stopsAtFailure
    }

    /// Runs it; with `stopsAtFailure` no further than to the first failure.
    public func run() async -> Report {
        await withTaskGroup(of: Schedule.Outcome.self) { group in
            var report = Report()
            var rest = seeds.makeIterator()
            func add() -> Bool {
                guard let seed = rest.next() else { return false }
                group.addTask { [rules, traced] in await Schedule(seed: seed, rules: rules, traced: traced).run() }
                return true
            }
            for _ in 0..<Self.width where !add() { break }
            while let outcome = await group.next() {
                report.schedules += 1
                report.converged += outcome.tally.isConverged ? 1 : 0
                report.acknowledged += outcome.tally.acknowledged
                report.incarnations += outcome.tally.incarnations
                report.lastTrace = outcome.trace
                if !outcome.violations.isEmpty { report.failures.append(outcome) }
                if stopsAtFailure, !report.failures.isEmpty { continue }
                _ = add()
            }
            report.failures.sort { $0.seed < $1.seed }
            return report
        }
    }

    private static let width = 4
}
