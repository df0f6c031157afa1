// SPDX-License-Identifier: Apache-2.0

/// What a machine does for its own member.
extension EtcdAgent {
    /// Makes the machine's member what the record says of it.
    ///
    /// - Returns: How it is then.
    func keepMember(_ round: Round) async throws -> MemberReport {
        let record = round.record
        let sight = try await means.host.look()
        if case .restore(let restore)? = record.operation, let report = try await follow(restore, round, sight) {
            return report
        }
        guard let member = record.members[place.member] else {
            // Out of the cluster by etcd's own account, or it would still be recorded.
            if sight.isRunning { try await means.host.stop() }
            return report(try await means.host.look(), record)
        }
        switch member.state {
        case .founding: try await found(round, sight)
        case .joining: try await join(round, member, sight)
        case .voter: try await serve(round, sight)
        }
        return try await settled(record)
    }

    private func found(_ round: Round, _ sight: LocalSight) async throws {
        guard sight.note?.isOf(place.member, in: round.record) == true else { return }
        try await run(sight.hasData ? .existing : .new, round, sight)
    }

    private func join(_ round: Round, _ member: MemberRecord, _ sight: LocalSight) async throws {
        // Not before etcd has given it a number: without one it would begin a cluster, or take another's place.
        guard member.etcdID != nil else { return }
        var sight = sight
        if sight.note?.isOf(place.member, in: round.record) != true {
            sight = try await prepare(round.record, member, sight)
        }
        if sight.note?.initialised == true, !sight.hasData { return }
        try await run(.existing, round, sight)
    }

    /// Makes the volume ready for data of an incarnation that has none yet.
    private func prepare(
        _ record: ClusterRecord,
        _ member: MemberRecord,
        _ sight: LocalSight
    ) async throws -> LocalSight {
        if sight.isRunning { try await means.host.stop() }
        if sight.volume == .blank {
            try rules.check(.format(sight: sight, member: place.member, record: record))
            try await means.host.format()
        } else if sight.hasData {
            try rules.check(.setAside(member: place.member, sight: sight, record: record))
            try await means.host.setAside()
        }
        try await means.host.write(VolumeNote(of: place.member, in: record, member))
        return try await means.host.look()
    }

    private func serve(_ round: Round, _ sight: LocalSight) async throws {
        guard sight.note?.isOf(place.member, in: round.record) == true, sight.hasData else {
            // What runs here runs on something else than what the cluster counts on.
            if sight.isRunning { try await means.host.stop() }
            return
        }
        try await run(.existing, round, sight)
    }

    /// Has etcd run, and run as declared: started at once where it does not run, anew only when that is allowed.
    private func run(_ state: EtcdUnit.ClusterState, _ round: Round, _ sight: LocalSight) async throws {
        let record = round.record
        switch sight.process {
        case .running(isCurrent: true): return
        case .running(isCurrent: false):
            let isTurn = record.operation == .restart(member: place.member)
            guard isTurn || record.members.count == 1 else { return }
            try rules.check(.restart(member: place.member, view: await view(of: round)))
        case .stopped: break
        }
        let start = EtcdStart(
            state: state,
            token: record.token,
            member: place.member,
            peers: round.spec.peerURLs.filter { record.members[$0.key] != nil }
        )
        try rules.check(.start(start, member: place.member, sight: sight, record: record))
        try await means.host.start(start)
    }

    /// Looks again, and notes on the volume what must be known there when the store cannot be asked.
    private func settled(_ record: ClusterRecord) async throws -> MemberReport {
        let sight = try await means.host.look()
        guard var note = sight.note, note.isOf(place.member, in: record) else { return report(sight, record) }
        note.alone = record.members.count == 1
        if !note.initialised, sight.isRunning, sight.hasData, await answers(record) { note.initialised = true }
        if note != sight.note { try await means.host.write(note) }
        var report = report(sight, record)
        if report.data == .prepared, note.initialised { report.data = .good }
        return report
    }

    /// Whether this machine's etcd answers as the member it should be.
    private func answers(_ record: ClusterRecord) async -> Bool {
        guard let status = try? await means.etcd.status(of: place.clientURL) else { return false }
        let wanted = record.members[place.member]?.etcdID
        return status.leader != 0 && (wanted == nil || wanted == status.memberID)
    }

    func report(_ sight: LocalSight, _ record: ClusterRecord) -> MemberReport {
        MemberReport(
            machine: place.machine,
            address: place.address,
            clientURL: place.clientURL,
            data: data(sight, record),
            incarnation: sight.note?.incarnation,
            isRunning: sight.isRunning,
            isCurrent: sight.isCurrent
        )
    }

    private func data(_ sight: LocalSight, _ record: ClusterRecord) -> MemberReport.Data {
        guard let note = sight.note else { return sight.hasData ? .stale : .none }
        guard note.isOf(place.member, in: record) else { return sight.hasData ? .stale : .none }
        if note.initialised { return sight.hasData ? .good : .lost }
        return .prepared
    }
}
