// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS

/// What a machine does where there is no record to go by.
extension EtcdAgent {
    /// The store cannot be read: only what is certain from the volume alone is done.
    ///
    /// - Returns: Whether etcd runs.
    func keepUnrecorded(_ spec: EtcdSpec) async throws -> Bool {
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
                peers: spec.peerURLs(of: [note.member]),
                release: spec.release
            )
        )
        return true
    }

    /// The store knows no such cluster: begins it, if that is certain.
    func begin(_ spec: EtcdSpec) async throws -> Outlook {
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
}
