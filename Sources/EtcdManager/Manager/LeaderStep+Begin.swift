// SPDX-License-Identifier: Apache-2.0
import KopsModel

/// What a leader begins while nothing is under way, in the order of its worth.
extension LeaderStep {
    static func begin(_ view: MembershipView, _ spec: EtcdSpec, _ rules: SafetyRules) -> LeaderStep? {
        view.strays.first.map { .removeStray(etcdID: $0.id) } ?? replace(view, spec, rules) ?? restart(view, rules)
            ?? grow(view, spec, rules) ?? shrink(view, spec, rules)
    }

    /// The release that the whole cluster has come to, as etcd itself reckons it: the oldest of its members'.
    ///
    /// Patches may go back, minors do not.
    static func recordRelease(_ view: MembershipView) -> LeaderStep? {
        let releases = view.healthyVoters.compactMap { view.statuses[$0]?.version }
        let versions = releases.compactMap { release in EtcdVersion(reported: release).map { ($0, release) } }
        guard versions.count == view.record.voters.count, let (oldest, release) = versions.min(by: { $0.0 < $1.0 }),
            release != view.record.release
        else { return nil }
        if let known = view.record.release.flatMap(EtcdVersion.init(reported:)),
            (known.major, known.minor) > (oldest.major, oldest.minor)
        {
            return nil
        }
        return .recordRelease(release)
    }

    /// A member whose data is gone, while the others serve.
    static func replace(_ view: MembershipView, _ spec: EtcdSpec, _ rules: SafetyRules) -> LeaderStep? {
        view.record.voters
            .first { isLost($0, view) && rules.allow(.remove(member: $0, view: view, spec: spec)) }
            .map { .beginRemoval(member: $0) }
    }

    /// Whether a member's machine says that its data is gone.
    static func isLost(_ member: String, _ view: MembershipView) -> Bool { view.reports[member]?.hasNothing == true }

    /// Members that owe a restart take turns, those that do not serve first and the leader of etcd last.
    private static func restart(_ view: MembershipView, _ rules: SafetyRules) -> LeaderStep? {
        guard view.record.members.count > 1 else { return nil }
        let owing = view.record.voters.filter { view.reports[$0]?.isCurrent == false && view.isReached($0) }
        let silent = owing.filter { !view.isHealthy($0) }
        let leads = owing.filter { view.statuses[$0].map { $0.leader == $0.memberID } == true }
        return (silent + owing.filter { !silent.contains($0) && !leads.contains($0) } + leads)
            .first { rules.allow(.restart(member: $0, view: view.during(.restart(member: $0)))) }
            .map { .beginRestart(member: $0) }
    }

    /// A declared member whose machine is ready for it.
    private static func grow(_ view: MembershipView, _ spec: EtcdSpec, _ rules: SafetyRules) -> LeaderStep? {
        spec.members
            .first { name in
                guard view.record.members[name] == nil, let report = view.reports[name] else { return false }
                return !report.isRunning && report.data != .foreign
                    && rules.allow(.addLearner(member: name, view: view))
            }
            .flatMap { name in view.reports[name].map { .beginJoin(member: name, machine: $0.machine) } }
    }

    /// A member that is no longer declared; what does not serve goes first.
    private static func shrink(_ view: MembershipView, _ spec: EtcdSpec, _ rules: SafetyRules) -> LeaderStep? {
        let surplus = view.record.voters.filter { !spec.members.contains($0) }
        return (surplus.filter { !view.isHealthy($0) } + surplus)
            .first { rules.allow(.remove(member: $0, view: view, spec: spec)) }
            .map { .beginRemoval(member: $0) }
    }
}
