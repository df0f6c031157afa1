// SPDX-License-Identifier: Apache-2.0

/// What a machine does for its own member while the cluster is begun anew from a backup.
extension EtcdAgent {
    /// Stops the member, or begins with the backup's data where this machine has been chosen to.
    ///
    /// - Returns: How it is then; `nil` where the restore asks nothing of it any more.
    func follow(
        _ restore: Operation.Restore,
        _ round: Round,
        _ sight: LocalSight
    ) async throws -> MemberReport? {
        let record = round.record
        guard let founder = restore.founder else {
            // Another member may begin anew: from here on this one must ask before it starts.
            if var note = sight.note, note.alone {
                note.alone = false
                try await means.host.write(note)
            }
            if sight.isRunning { try await means.host.stop() }
            var report = report(try await means.host.look(), record)
            report.stoppedFor = restore.command
            return report
        }
        guard founder == place.member, let member = record.members[founder] else { return nil }
        if sight.note?.isOf(founder, in: record) == true { return nil }
        try await lay(restore, round, member, sight)
        return nil
    }

    /// The whole note comes last: until it is there, everything before it is done again.
    private func lay(
        _ restore: Operation.Restore,
        _ round: Round,
        _ member: MemberRecord,
        _ sight: LocalSight
    ) async throws {
        let record = round.record
        try rules.check(.prepare(member: place.member, machine: place.machine, sight: sight, record: record))
        try await clear(sight, for: record)
        let start = EtcdStart(
            state: .new,
            token: record.token,
            member: place.member,
            peers: round.spec.peerURLs(of: [place.member]),
            release: round.spec.release
        )
        var note = VolumeNote(of: place.member, in: record, member)
        // Nobody's incarnation: what is on the volume from here on is an attempt's, and is not kept beside what served.
        note.incarnation = 0
        if note != sight.note { try await means.host.write(note) }
        try await means.host.lay(backup: restore.backup, for: start)
        note.incarnation = member.incarnation
        // From here on the data is what the cluster counts on.
        note.initialised = true
        note.releases = round.spec.release.map { ReleaseRange($0) }
        try await means.host.write(note)
    }
}
