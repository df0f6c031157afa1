// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import KopsModel

/// What a machine's file says, against what there is.
extension MachineSite {
    /// Refuses what does not go with the data on the volume, and with what the other members know.
    ///
    /// Not a release: what the data cannot be given to is not run, by the manager's own rules, while the way back, a restore of what an
    /// older release has backed up, begins with declaring that.
    ///
    /// - Throws: ``Failure`` `etcd-config-invalid` (permanent).
    func check(_ machine: EtcdMachine) async throws {
        let volume = try await volume()
        if let label = try await volume.membership(), label.member != machine.member {
            try refuse(
                SpecPath("member"),
                "is \(machine.member), and the disk of this machine is labelled as member \(label.member)'s",
                "attach the disk of \(machine.member), or write \(label.member)"
            )
        }
        guard case .mounted(let note, _) = try await volume.look() else { return }
        if let note { try check(machine, note) }
        try await compare(machine)
    }

    private func check(_ machine: EtcdMachine, _ note: VolumeNote) throws {
        if (note.clusterName, note.etcdCluster) != (machine.cluster, machine.name) {
            try refuse(
                SpecPath("cluster"),
                "is \(machine.cluster) (\(machine.name)), and the data on the volume is of \(note.clusterName)"
                    + " (\(note.etcdCluster))",
                "write that, or give \(machine.cluster) a volume of its own"
            )
        }
        if note.member != machine.member {
            try refuse(
                SpecPath("member"),
                "is \(machine.member), and the data on the volume is of member \(note.member)",
                "write that, or give \(machine.member) a volume of its own"
            )
        }
    }

    /// Asks the other members once for each change of the file.
    private func compare(_ machine: EtcdMachine) async throws {
        let others = machine.members.filter { $0.name != machine.member }.map(\.clientURL)
        if others.isEmpty || compared.value == machine { return }
        let gateway = try await gateway()
        let statuses = await gateway.statuses(of: others)
        // A member without a vote, or without a leader, cannot tell who is a member.
        let informed = others.first { statuses[$0].map { $0.leader != 0 && !$0.isLearner } == true }
        guard let informed, let listed = try? await gateway.members(at: informed) else { return }
        try check(machine, listed: listed.members)
        compared.value = machine
    }

    /// Members dial each other where etcd was told when they joined; one that moves would be alone.
    private func check(_ machine: EtcdMachine, listed: [EtcdMember]) throws {
        for (number, member) in machine.members.enumerated() {
            guard let known = listed.first(where: { $0.name == member.name }), !known.peerURLs.contains(member.peerURL)
            else { continue }
            try refuse(
                SpecPath("members").index(number).key("peerURL"),
                "is \(member.peerURL), and the other members reach \(member.name) at"
                    + " \(known.peerURLs.joined(separator: ", "))",
                "write that; to move a member, take it out by \"ensure\": \"absent\" first"
            )
        }
    }

    private func refuse(_ path: SpecPath, _ message: String, _ remedy: String) throws {
        throw file.refused([SpecProblem(path, message, remedy: remedy)])
    }
}
