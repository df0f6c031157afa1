// SPDX-License-Identifier: Apache-2.0

/// The next thing a leader does; each is one change of the record, or one call to etcd.
public enum LeaderStep: Sendable, Equatable {
    /// Puts the leader's token into the record, which ends what an earlier leader was about to do.
    case takeOver
    /// Takes up an operator's command, also in the place of a restore from which nobody serves yet.
    case beginRestore(OperatorCommand)
    /// Gives up a restore that is still stopping members, as an operator has commanded.
    case abandonRestore(OperatorCommand)
    /// Lets one member begin anew from the backup.
    case beginAnew(Operation.Restore, founder: String)
    /// The restored cluster serves.
    case endRestore(Operation.Restore)
    /// The founder serves: it has a vote from now on.
    case recordFounder(member: String, etcdID: UInt64)
    /// A declared member is to join, from the machine that has its volume.
    case beginJoin(member: String, machine: String)
    /// It is added without a vote.
    case addLearner(member: String)
    /// It is listed; its number is recorded.
    case recordLearner(member: String, etcdID: UInt64)
    /// It gets its vote.
    case promote(member: String)
    /// It has its vote.
    case recordVoter(member: String)
    /// It is to be taken out.
    case beginRemoval(member: String)
    /// It is taken out.
    case remove(member: String, etcdID: UInt64)
    /// It is out.
    case recordRemoval(member: String)
    /// A learner that the record does not know is taken out.
    case removeStray(etcdID: UInt64)
    /// Every voter serves with a newer release, or one that is not known yet.
    case recordRelease(String)
    /// It is a member's turn to restart.
    case beginRestart(member: String)
    /// It has restarted.
    case endRestart(member: String)

    /// What comes next in a view; `nil` when nothing is to be done, or when something else must happen first.
    public static func next(
        _ view: MembershipView,
        spec: EtcdSpec,
        command: OperatorCommand?,
        token: Int,
        rules: SafetyRules = .all
    ) -> LeaderStep? {
        let record = view.record
        if record.fence < token { return .takeOver }
        if let step = command.flatMap({ next($0, record) }) { return step }
        if case .restore(let restore)? = record.operation { return next(restore, view, rules) }
        if let founder = record.members.first(where: { $0.value.state == .founding })?.key {
            return recordFounder(founder, view)
        }
        // Also while something is under way: a member that joins is held against what the others have come to.
        if let step = recordRelease(view) { return step }
        return switch record.operation {
        case .join(let member)?: next(joining: member, view, spec, rules)
        case .remove(let member, let etcdID)?: next(removing: member, etcdID, view)
        case .restart(let member)?: next(restarting: member, view, spec, rules)
        case .restore?, nil: begin(view, spec, rules)
        }
    }

    private static func next(_ command: OperatorCommand, _ record: ClusterRecord) -> LeaderStep? {
        guard command.id != record.lastCommand else { return nil }
        if case .restore(let restore)? = record.operation {
            let serves = restore.founder.map { record.members[$0]?.state == .voter } ?? false
            guard command.id != restore.command, !serves else { return nil }
        }
        return command.restore == nil ? .abandonRestore(command) : .beginRestore(command)
    }

    private static func recordFounder(_ founder: String, _ view: MembershipView) -> LeaderStep? {
        guard view.reports[founder]?.data == .good,
            view.reports[founder]?.incarnation == view.record.members[founder]?.incarnation,
            view.isHealthy(founder), let status = view.statuses[founder]
        else { return nil }
        return .recordFounder(member: founder, etcdID: status.memberID)
    }

    private static func next(
        _ restore: Operation.Restore,
        _ view: MembershipView,
        _ rules: SafetyRules
    ) -> LeaderStep? {
        if let founder = restore.founder {
            if view.record.members[founder]?.state == .voter { return .endRestore(restore) }
            return recordFounder(founder, view)
        }
        guard rules.allow(.beginAnew(restore, view: view)) else { return nil }
        let stopped = view.reports.filter { $0.value.stoppedFor == restore.command }.keys.sorted()
        // Whoever is said to be lost may answer all the same, and is the last to be relied on.
        let founder = stopped.first { !restore.lost.contains($0) } ?? stopped.first
        return founder.map { .beginAnew(restore, founder: $0) }
    }

    private static func next(
        joining member: String,
        _ view: MembershipView,
        _ spec: EtcdSpec,
        _ rules: SafetyRules
    ) -> LeaderStep? {
        guard let found = view.record.members[member] else { return nil }
        let listing = view.listing(of: member)
        let hasMoved = hasMoved(member, found, view)
        guard let id = found.etcdID else {
            if let listing, listing.isLearner { return .recordLearner(member: member, etcdID: listing.id) }
            // One that is lost would wait for the one that joins, which waits for all others to serve.
            let isHeldUp = view.listed != nil && listing == nil && replace(view, spec, rules) != nil
            guard spec.members.contains(member), !hasMoved, !isHeldUp else { return .recordRemoval(member: member) }
            let mayAdd = view.listed != nil && rules.allow(.addLearner(member: member, view: view))
            return mayAdd ? .addLearner(member: member) : nil
        }
        if let listing, !listing.isLearner { return .recordVoter(member: member) }
        let report = view.reports[member]
        let isGone = report?.incarnation == found.incarnation && report?.data == .lost
        if !spec.members.contains(member) || isGone || hasMoved || (view.listed != nil && listing == nil) {
            return .beginRemoval(member: member)
        }
        guard listing?.id == id, rules.allow(.promote(member: member, view: view)) else { return nil }
        return .promote(member: member)
    }

    /// Whether a joining member's volume has come to another machine before it was made ready.
    private static func hasMoved(_ member: String, _ found: MemberRecord, _ view: MembershipView) -> Bool {
        guard let machine = found.machine, let report = view.reports[member] else { return false }
        return report.machine != machine && report.incarnation != found.incarnation
    }

    private static func next(removing member: String, _ id: UInt64, _ view: MembershipView) -> LeaderStep? {
        guard let listed = view.listed else { return nil }
        return listed.contains { $0.id == id } ? .remove(member: member, etcdID: id) : .recordRemoval(member: member)
    }

    private static func next(
        restarting member: String,
        _ view: MembershipView,
        _ spec: EtcdSpec,
        _ rules: SafetyRules
    ) -> LeaderStep? {
        let report = view.reports[member]
        let isDone = view.isHealthy(member) || view.stalled.contains(member)
        if report?.isCurrent == true, report?.isRunning == true, isDone { return .endRestart(member: member) }
        // A member that has lost its data in the meantime is replaced instead, and one that is not wanted any more is let go.
        let isUnwanted = !spec.members.contains(member) && !view.isHealthy(member)
        if isLost(member, view) || isUnwanted, rules.allow(.remove(member: member, view: view, spec: spec)) {
            return .beginRemoval(member: member)
        }
        // The turn is given back when another member is needed more, for whatever that one needs comes first.
        let isNeeded =
            report?.isCurrent == false && view.isHealthy(member)
            && !rules.allow(.restart(member: member, view: view))
        return isNeeded ? .endRestart(member: member) : nil
    }
}
