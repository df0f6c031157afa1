// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
import NodeOS

/// One machine's part in running an etcd cluster: it keeps its own member, and leads where it holds the lease.
///
/// Machines agree through the store alone. Each looks, does what the record says of its own member, and reports; the one
/// that leads changes the record one step at a time. Every step can be repeated, so a machine may end between any two.
public struct EtcdAgent: Sendable {
    /// What the agent works with.
    public struct Means: Sendable {
        /// What machines share.
        public var registers: any Registers
        /// The machine itself.
        public var host: any MemberHost
        /// The members' etcd.
        public var etcd: any EtcdAPI
        /// The backups.
        public var backups: any BackupVault
        /// Since any fixed instant, never going back.
        public var now: @Sendable () -> Duration
        /// The time of day, for people only: nothing is decided by it.
        public var date: @Sendable () -> Date
        /// 32 random hex digits.
        public var randomID: @Sendable () -> String
        /// Frees a cluster that was begun anew, asked at a URL, of what only its former clients could mean.
        public var clearStale: @Sendable (String) async throws -> Void

        /// Makes the means from their parts.
        public init(
            registers: any Registers,
            host: any MemberHost,
            etcd: any EtcdAPI,
            backups: any BackupVault,
            now: @escaping @Sendable () -> Duration,
            date: @escaping @Sendable () -> Date = { Date() },
            randomID: @escaping @Sendable () -> String,
            clearStale: @escaping @Sendable (String) async throws -> Void = { _ in }
        ) {
            self.registers = registers
            self.host = host
            self.etcd = etcd
            self.backups = backups
            self.now = now
            self.date = date
            self.randomID = randomID
            self.clearStale = clearStale
        }
    }

    /// Who the agent is.
    public struct Place: Sendable, Equatable {
        /// The machine.
        public var machine: String
        /// The member whose volume is attached to it.
        public var member: String
        /// The machine's address.
        public var address: String
        /// Where clients reach the member.
        public var clientURL: String

        /// Makes a place from its parts.
        public init(machine: String, member: String, address: String, clientURL: String) {
            self.machine = machine
            self.member = member
            self.address = address
            self.clientURL = clientURL
        }
    }

    let place: Place
    let means: Means
    let rules: SafetyRules
    var leadership: Leadership
    var stalls = StallWatch()

    /// Makes an agent, which leads nothing yet.
    ///
    /// - `holder` is another one at each start of the program.
    public init(place: Place, holder: String, means: Means, rules: SafetyRules = .all) {
        self.place = place
        self.means = means
        self.rules = rules
        leadership = Leadership(holder: holder)
    }

    /// Whether this machine decides for the cluster now.
    public var leads: Bool { leadership.token(at: means.now()) != nil }

    /// Looks once, and does what is to be done now.
    ///
    /// - Throws: `Failure`, `RegisterError`, `EtcdError`; what was done stands.
    public mutating func tick(_ spec: EtcdSpec) async throws -> Outlook {
        let record: Held<ClusterRecord>?
        do {
            // Who is no part of what is declared decides nothing about it.
            if spec.members.contains(place.member) {
                try await leadership.pursue(means.registers, now: means.now)
            }
            record = try await means.registers.read(.record)
        } catch let error as RegisterError {
            guard try await keepUnrecorded(spec) else { throw error }
            return Outlook(cluster: "the store: \(error)")
        }
        guard let record else {
            do {
                return try await begin(spec)
            } catch {
                // Another machine may be able to, and is let try.
                if leads { leadership.note(hears: spec.members.count < 2, at: means.now()) }
                throw error
            }
        }
        var round = Round(spec: spec, record: record.value, version: record.version)
        for name in Set(spec.members).union(record.value.members.keys).sorted() {
            round.reports[name] = try await report(of: name)?.value
        }
        // A leader goes on for the others although its own member troubles it.
        let local: Result<MemberReport, any Error>
        do {
            try await means.host.resolve(round.reports.mapValues(\.address))
            let report = try await keepMember(round)
            try await publish(report, after: round)
            round.reports[place.member] = report
            local = .success(report)
        } catch {
            local = .failure(error)
        }
        let lead = try await lead(round)
        let report = try local.get()
        try requireData(report, round)
        try requireRelease(report, round)
        return await outlook(report, round, lead)
    }

    /// What one look at the store gave.
    struct Round: Sendable {
        var spec: EtcdSpec
        var record: ClusterRecord
        var version: SlotVersion
        var reports: [String: MemberReport] = [:]
    }

    /// A member that is neither declared nor recorded is out, and nothing is awaited of it.
    func awaited(_ report: MemberReport, _ round: Round) -> String? {
        let member = round.record.members[place.member]
        if member == nil, !round.spec.members.contains(place.member) { return nil }
        return report.awaited(as: member)
    }

    /// Says in the store how the member is, when that has changed.
    private func publish(_ report: MemberReport, after round: Round) async throws {
        if round.reports[place.member] == report { return }
        let held = try await self.report(of: place.member)
        guard held?.value != report else { return }
        try await means.registers.write(report, to: .report(of: place.member), replacing: held?.version)
    }

    /// What is said of a member; a report that cannot be understood says nothing, and its machine writes it anew.
    private func report(of member: String) async throws -> (value: MemberReport?, version: SlotVersion)? {
        do {
            return try await means.registers.read(.report(of: member)).map { ($0.value, $0.version) }
        } catch RegisterError.damaged(_, let version) {
            return (nil, version)
        }
    }
}
