// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// What is left to a person, and told as a failure.
extension EtcdAgent {
    /// A member whose data is gone is replaced by the others, where they are enough; a person decides where they are not.
    func requireData(_ report: MemberReport, _ round: Round) throws {
        let record = round.record
        if report.data == .foreign { throw foreign(record) }
        guard let member = record.members[place.member], member.state != .joining, report.hasNothing,
            record.operation == nil
        else { return }
        let lost = record.voters.filter { $0 == place.member || round.reports[$0]?.hasNothing == true }
        guard record.voters.count - lost.count < MembershipView.quorum(of: record.voters.count) else { return }
        let names = lost.joined(separator: ", ")
        throw Failure(
            .permanent,
            code: "etcd-data-missing",
            "the store records etcd \(record.clusterName)/\(record.etcdCluster) as \(record.id), and the data of \(lost.count) of"
                + " \(record.voters.count) members is not on their volumes: \(names)",
            hint:
                "attach the volumes that hold it, or restore a backup: kopslite etcd restore \(record.clusterName)"
                + " --etcd-cluster \(record.etcdCluster) --lost \(lost.joined(separator: ","))"
        )
    }

    private func foreign(_ record: ClusterRecord) -> Failure {
        Failure(
            .permanent,
            code: "etcd-data-foreign",
            "the volume of member \(place.member) of etcd \(record.clusterName)/\(record.etcdCluster) holds data of etcd that"
                + " no note tells of, and so nothing is done with it",
            hint: "attach the right volume, or move what is in its directory data away, and the member joins"
        )
    }

    /// A volume that another one has taken the place of gives nothing to the cluster, and says nothing of its member.
    func requireNotReplaced(_ sight: LocalSight, _ record: ClusterRecord) async throws {
        guard let note = sight.note, let member = record.members[place.member], member.state == .voter,
            note.isOf(record), note.member == place.member, note.epoch == record.epoch, note.incarnation > 0,
            note.incarnation < member.incarnation
        else { return }
        if sight.isRunning { try await means.host.stop() }
        throw Failure(
            .permanent,
            code: "etcd-volume-replaced",
            "another volume has taken the place of this machine's as that of member \(place.member) of etcd"
                + " \(record.clusterName)/\(record.etcdCluster)",
            hint: "detach this one; if the other one is gone for good, wipe this one, and the member is replaced"
        )
    }

    /// A release that the data cannot be given to is never run: whatever runs goes on as it is, until a person decides.
    func requireRelease(_ report: MemberReport, _ round: Round) throws {
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
}
