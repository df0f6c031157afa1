// SPDX-License-Identifier: Apache-2.0

/// What a machine does for its own member.
extension EtcdAgent {
    /// Makes the machine's member what the record says of it.
    ///
    /// - Returns: How it is then.
    mutating func keepMember(_ round: Round) async throws -> MemberReport {
        let record = round.record
        var sight = try await means.host.look()
        if case .restore(let restore)? = record.operation {
            if let report = try await follow(restore, round, sight) { return report }
            sight = try await means.host.look()
        }
        try await requireNotReplaced(sight, record)
        guard let member = record.members[place.member] else {
            // Out of the cluster by etcd's own account, or it would still be recorded.
            if sight.isRunning { try await means.host.stop() }
            return report(try await means.host.look(), record)
        }
        // Not before etcd has given it a number: without one it would take another's place.
        if member.state == .joining, member.etcdID == nil { return report(sight, record) }
        try await run(round, try await prepared(round, member, sight))
        return try await settled(round)
    }

    /// The volume with the member's own data, or ready for it.
    private func prepared(_ round: Round, _ member: MemberRecord, _ sight: LocalSight) async throws -> LocalSight {
        let act = RiskyAct.prepare(member: place.member, machine: place.machine, sight: sight, record: round.record)
        guard state(for: round, sight) == nil, rules.allow(act) else { return sight }
        try await clear(sight, for: round.record)
        try await means.host.write(VolumeNote(of: place.member, in: round.record, member))
        return try await means.host.look()
    }

    /// Frees a volume of what etcd must not find.
    func clear(_ sight: LocalSight, for record: ClusterRecord) async throws {
        if sight.isRunning { try await means.host.stop() }
        if rules.allow(.format(sight: sight, member: place.member)) {
            try await means.host.format()
        } else if sight.hasData {
            try await means.host.setAside(kind(of: sight, record))
        }
    }

    private func kind(of sight: LocalSight, _ record: ClusterRecord) -> SetAside {
        guard case .restore(let restore)? = record.operation, let served = restore.served, let note = sight.note,
            note.isOf(record), note.epoch > served
        else { return .replaced }
        return .unfinished
    }

    /// How etcd may be started on the volume as it is: to begin a cluster where that is due, else to go on; `nil`: not at all.
    private func state(for round: Round, _ sight: LocalSight) -> EtcdUnit.ClusterState? {
        [EtcdUnit.ClusterState.new, .existing].first {
            rules.allow(.start($0, member: place.member, sight: sight, record: round.record))
        }
    }

    /// Has etcd run, and run as declared: started at once where it does not run, anew only when that is allowed.
    private mutating func run(_ round: Round, _ sight: LocalSight) async throws {
        guard let state = state(for: round, sight) else {
            // What runs here runs on something else than what the cluster counts on.
            if sight.isRunning { try await means.host.stop() }
            return
        }
        switch sight.process {
        case .running(isCurrent: true): return
        case .running(isCurrent: false):
            guard rules.allow(.restart(member: place.member, view: await view(of: round))) else { return }
        case .stopped: break
        }
        let release = round.spec.release
        let act = RiskyAct.run(release: release, member: place.member, data: sight.releases, record: round.record)
        guard rules.allow(act) else { return }
        try await commit(sight, to: release)
        let peers = round.spec.peerURLs(of: round.record.members.keys)
        try await means.host.start(
            EtcdStart(state: state, token: round.record.token, member: place.member, peers: peers, release: release)
        )
    }

    /// Notes on the volume which release its data is about to be given to: afterwards there is no way back, so not before
    /// there is a program to give it to.
    func commit(_ sight: LocalSight, to release: String?) async throws {
        try await means.host.checkStart()
        guard let release, var note = sight.note else { return }
        var releases = sight.releases ?? ReleaseRange(release)
        releases.add(release)
        guard note.releases != releases else { return }
        note.releases = releases
        try await means.host.write(note)
    }

    /// Looks again, and notes on the volume what must be known there when the store cannot be asked.
    private func settled(_ round: Round) async throws -> MemberReport {
        let record = round.record
        let sight = try await means.host.look()
        guard var note = sight.note, note.isOf(place.member, in: record) else { return report(sight, record) }
        note.alone = record.members.count == 1
        let isOpen = !note.initialised || note.releases.map { $0.oldest != $0.newest } ?? true
        if isOpen, sight.isRunning, sight.hasData, let status = await answer(record) {
            note.initialised = true
            note.releases = ReleaseRange(status.version)
        }
        if note != sight.note { try await means.host.write(note) }
        var report = report(sight, record)
        report.releases = sight.hasData ? note.releases : nil
        if report.data == .prepared, note.initialised { report.data = .good }
        return report
    }

    /// What this machine's etcd answers, if it does as the member it should be.
    private func answer(_ record: ClusterRecord) async -> EtcdStatus? {
        guard let status = try? await means.etcd.status(of: place.clientURL) else { return nil }
        let wanted = record.members[place.member]?.etcdID
        return status.leader != 0 && (wanted == nil || wanted == status.memberID) ? status : nil
    }

    /// How the member is.
    func report(_ sight: LocalSight, _ record: ClusterRecord) -> MemberReport {
        MemberReport(
            machine: place.machine,
            address: place.address,
            clientURL: place.clientURL,
            data: data(sight, record),
            incarnation: sight.note?.incarnation,
            isRunning: sight.isRunning,
            isCurrent: sight.isCurrent,
            releases: sight.releases
        )
    }

    private func data(_ sight: LocalSight, _ record: ClusterRecord) -> MemberReport.Data {
        guard let note = sight.note, note.isOf(record) else { return sight.hasData ? .foreign : .none }
        guard note.isOf(place.member, in: record) else { return sight.hasData ? .stale : .none }
        if note.initialised { return sight.hasData ? .good : .lost }
        return .prepared
    }
}
