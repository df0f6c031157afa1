// SPDX-License-Identifier: Apache-2.0

/// What a leader begins while nothing is under way, in the order of its worth.
extension LeaderStep {
    static func begin(_ view: MembershipView, _ spec: EtcdSpec) -> LeaderStep? {
        view.strays.first.map { .removeStray(etcdID: $0.id) } ?? replace(view, spec) ?? restart(view) ?? grow(view, spec) ?? shrink(view, spec)
    }

    /// A member whose data is gone, while the others serve.
    private static func replace(_ view: MembershipView, _ spec: EtcdSpec) -> LeaderStep? {
        view.record.voters.first { isReplaceable($0, view, spec) }.map { .beginRemoval(member: $0) }
    }

    static func isReplaceable(_ member: String, _ view: MembershipView, _ spec: EtcdSpec) -> Bool {
        guard view.record.voters.count >= 3, view.record.members[member]?.state == .voter,
            view.statuses[member] == nil, let report = view.reports[member], report.hasNothing
        else { return false }
        return view.record.voters.allSatisfy { $0 == member || view.isHealthy($0) }
    }

    /// Members that owe a restart take turns, the leader of etcd last, and only while all serve.
    private static func restart(_ view: MembershipView) -> LeaderStep? {
        let record = view.record
        guard record.members.count > 1, view.healthyVoters.count == record.voters.count else { return nil }
        let owing = record.voters.filter { view.reports[$0]?.isCurrent == false }
        let leads = owing.filter { view.statuses[$0].map { $0.leader == $0.memberID } == true }
        // Two voters need each other: they grow or shrink first.
        return (owing.filter { !leads.contains($0) } + leads).first(where: view.hasQuorum(without:))
            .map { .beginRestart(member: $0) }
    }

    /// A declared member whose machine is ready for it.
    private static func grow(_ view: MembershipView, _ spec: EtcdSpec) -> LeaderStep? {
        guard view.healthyVoters.count == view.record.voters.count else { return nil }
        for name in spec.members where view.record.members[name] == nil {
            guard let report = view.reports[name], !report.isRunning else { continue }
            return .beginJoin(member: name)
        }
        return nil
    }

    /// A member that is no longer declared; what does not serve goes first.
    private static func shrink(_ view: MembershipView, _ spec: EtcdSpec) -> LeaderStep? {
        let surplus = view.record.voters.filter { !spec.members.contains($0) }
        let member = surplus.first { !view.isHealthy($0) } ?? surplus.first
        guard let member, view.hasQuorum(afterRemoving: member) else { return nil }
        return .beginRemoval(member: member)
    }
}
