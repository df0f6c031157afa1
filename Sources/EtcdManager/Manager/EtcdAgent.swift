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
    /// Whether this machine could not begin the cluster although it led: then another one is let try.
    private var yields = false

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
            if spec.members.contains(place.member), !yields {
                try await leadership.pursue(means.registers, now: means.now)
            }
            yields = false
            record = try await means.registers.read(.record)
        } catch let error as RegisterError {
            guard try await keepUnrecorded(spec) else { throw error }
            return Outlook(cluster: "the store: \(error)")
        }
        guard let record else {
            yields = true
            let outlook = try await begin(spec)
            yields = false
            return outlook
        }
        var round = Round(spec: spec, record: record.value, version: record.version)
        for name in Set(spec.members).union(record.value.members.keys).sorted() {
            round.reports[name] = try await means.registers.read(.report(of: name))?.value
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
        try requireData(report, record.value)
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

    /// A member whose data is gone is replaced by the others, where they are enough; a person decides where they are not.
    private func requireData(_ report: MemberReport, _ record: ClusterRecord) throws {
        guard let member = record.members[place.member], member.state != .joining, report.hasNothing,
            record.voters.count < 3, record.operation == nil
        else { return }
        throw Failure(
            .permanent,
            code: "etcd-data-missing",
            "the store records etcd \(record.clusterName)/\(record.etcdCluster) as \(record.id), and the volume of member"
                + " \(place.member) does not hold its data",
            hint: "attach the volume that does, or restore a backup: kopslite etcd restore \(record.clusterName)"
        )
    }

    /// A release that the data cannot be given to is never run: whatever runs goes on as it is, until a person decides.
    private func requireRelease(_ report: MemberReport, _ round: Round) throws {
        let (record, release) = (round.record, round.spec.release)
        guard record.members[place.member] != nil, !report.isRunning || !report.isCurrent,
            let reason = rules.objection(
                to: .run(release: release, member: place.member, data: report.releases, record: record)
            )
        else { return }
        throw Failure(
            .permanent,
            code: "etcd-version-refused",
            "member \(place.member) of etcd \(record.clusterName)/\(record.etcdCluster) stays as it is: \(reason)",
            hint:
                "declare the release of before, or one minor more; to go back, declare the older one and restore a backup"
                + " that it has taken: kopslite etcd restore \(record.clusterName)"
        )
    }

    /// The store cannot be read: only what is certain from the volume alone is done.
    ///
    /// - Returns: Whether etcd runs.
    private func keepUnrecorded(_ spec: EtcdSpec) async throws -> Bool {
        let sight = try await means.host.look()
        if sight.isRunning { return true }
        guard let note = sight.note else { return false }
        try rules.check(.startUnrecorded(note: note, hasData: sight.hasData))
        try rules.check(.run(release: spec.release, member: note.member, data: sight.releases, record: nil))
        try await commit(sight, to: spec.release)
        try await means.host.start(
            EtcdStart(
                state: .existing,
                token: "\(note.id)-\(note.epoch)",
                member: note.member,
                peers: spec.peerURLs.filter { $0.key == note.member },
                release: spec.release
            )
        )
        return true
    }

    /// The store knows no such cluster: begins it, if that is certain.
    private func begin(_ spec: EtcdSpec) async throws -> Outlook {
        // Also where this machine has no part in it: a look at its own volume ends its claim to another's.
        let sight = try await means.host.look()
        guard spec.members.contains(place.member) else {
            return Outlook(member: "member \(place.member) is not declared")
        }
        guard leadership.token(at: means.now()) != nil else {
            return Outlook(member: "another machine to begin the cluster, or its lease to end")
        }
        try rules.check(
            .begin(
                spec: spec,
                member: place.member,
                sight: sight,
                hasBackups: try await !means.backups.isEmpty()
            )
        )
        if rules.allow(.format(sight: sight, member: place.member)) { try await means.host.format() }
        // On the volume first: whoever is recorded has the note already, so that a founder without one has lost its disk.
        var note = VolumeNote(
            clusterName: spec.clusterName,
            etcdCluster: spec.etcdCluster,
            id: means.randomID(),
            epoch: 1,
            member: place.member,
            incarnation: 1,
            alone: true
        )
        if let found = sight.note, found.clusterName == spec.clusterName, found.etcdCluster == spec.etcdCluster,
            found.member == place.member, found.epoch == 1, found.incarnation == 1
        {
            note.id = found.id
        }
        if note != sight.note { try await means.host.write(note) }
        let record = ClusterRecord(
            clusterName: spec.clusterName,
            etcdCluster: spec.etcdCluster,
            id: note.id,
            founder: place.member,
            begun: means.date().formatted(.iso8601)
        )
        // All of this took its time, in which another machine may have begun, and what it recorded may have been lost.
        guard leadership.token(at: means.now()) != nil else { return Outlook(member: "the lease to be renewed") }
        try await means.registers.write(record, to: .record, replacing: nil)
        return Outlook(member: "etcd to begin", hasAdvanced: true)
    }

    /// Says in the store how the member is, when that has changed.
    private func publish(_ report: MemberReport, after round: Round) async throws {
        if round.reports[place.member] == report { return }
        let slot = Slot.report(of: place.member)
        let held = try await means.registers.read(slot)
        if held?.value != report { try await means.registers.write(report, to: slot, replacing: held?.version) }
    }
}
