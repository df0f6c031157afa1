// SPDX-License-Identifier: Apache-2.0

extension SafetyRules {
    /// What keeps a quorum through changes of our own making.
    static let membershipRules: [Rule] = [
        Rule(name: "restart-only-with-quorum") { act in
            guard case .restart(let member, let view) = act else { return nil }
            let voters = view.record.voters
            if !voters.contains(member) || voters == [member] || view.hasQuorum(without: member) { return nil }
            if view.stalled.contains(member) { return nil }
            return "without member \(member) there would be no quorum: \(view.health)"
        },
        Rule(name: "restart-only-in-turn") { act in
            guard case .restart(let member, let view) = act else { return nil }
            let isAlone = view.record.members.count == 1
            guard !isAlone, view.record.operation != .restart(member: member) else { return nil }
            // Who joins and does not come up is given to nobody else to wait for.
            if view.record.operation == .join(member: member), view.stalled.contains(member) { return nil }
            return "it is not member \(member)'s turn to restart"
        },
        Rule(name: "join-only-healthy") { act in
            guard case .addLearner(_, let view) = act else { return nil }
            guard view.healthyVoters.count < view.record.voters.count else { return nil }
            return "a member is added only while all others serve: \(view.health)"
        },
        Rule(name: "promote-only-with-data") { act in
            guard case .promote(let member, let view) = act else { return nil }
            let report = view.reports[member]
            if report?.data == .good, report?.incarnation == view.record.members[member]?.incarnation,
                view.isHealthy(member)
            {
                return nil
            }
            return "member \(member) has no data to vote with yet"
        },
        Rule(name: "remove-only-with-quorum") { act in
            let (member, view): (String, MembershipView)
            switch act {
            case .remove(let found, let sight, _): (member, view) = (found, sight)
            case .removeNow(let found, let sight, _): (member, view) = (found, sight)
            default: return nil
            }
            if view.hasQuorum(afterRemoving: member) { return nil }
            return "without member \(member) there would be no quorum: \(view.health)"
        },
        Rule(name: "remove-only-lost-or-undeclared") { act in
            guard case .remove(let member, let view, let spec) = act, spec.members.contains(member) else { return nil }
            let isLost = view.reports[member]?.hasNothing == true && view.statuses[member] == nil
            if isLost, view.record.voters.count >= 3 { return nil }
            return "member \(member) is declared, and serves or may serve again"
        },
        Rule(name: "remove-only-after-backup") { act in
            // A learner's, too: its promotion may have been carried out unheard.
            guard case .removeNow(let member, _, false) = act else { return nil }
            return "no backup was taken before member \(member) is taken out"
        },
    ]

    /// What keeps decisions with one leader, and the gravest one with a person.
    static let leaderRules: [Rule] = [
        Rule(name: "decide-only-as-leader") { act in
            guard case .decide(let token, let record) = act else { return nil }
            guard let token else { return "the lease has not been renewed in time" }
            return token < record.fence ? "a leader with token \(record.fence) has taken over" : nil
        },
        Rule(name: "restore-only-when-all-stopped") { act in
            guard case .beginAnew(let restore, let view) = act else { return nil }
            let running = view.record.members.keys.sorted().filter {
                !restore.lost.contains($0) && view.reports[$0]?.stoppedFor != restore.command
            }
            guard !running.isEmpty else { return nil }
            return "members \(running.joined(separator: ", ")) have not stopped yet, and are not stated to be lost"
        },
    ]
}

extension MembershipView {
    /// Who serves, for a person.
    var health: String {
        let voters = record.voters
        let dead = voters.filter { !isHealthy($0) }
        return "\(healthyVoters.count) of \(voters.count) voters serve"
            + (dead.isEmpty ? "" : ", \(dead.joined(separator: ", ")) not")
    }

    /// The same sight, with something under way.
    func during(_ operation: Operation) -> MembershipView {
        var view = self
        view.record.operation = operation
        return view
    }
}

extension MemberReport {
    /// Whether the member's data is not on its volume.
    var hasNothing: Bool { data == .none || data == .lost || data == .stale }
}
