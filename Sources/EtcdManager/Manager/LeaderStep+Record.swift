// SPDX-License-Identifier: Apache-2.0

extension LeaderStep {
    /// The record after a step that changes only it; `nil` for a step that calls etcd.
    func record(after record: ClusterRecord, token: Int) -> ClusterRecord? {
        var record = record
        record.fence = token
        switch self {
        case .takeOver: break
        case .beginRestore(let command):
            guard let backup = command.restore else { return nil }
            var restore = Operation.Restore(command: command.id, backup: backup, lost: command.lost)
            restore.served = record.epoch
            if case .restore(let before)? = record.operation { restore.served = before.served }
            record.operation = .restore(restore)
        case .abandonRestore(let command):
            record.lastCommand = command.id
            if case .restore(let restore)? = record.operation, restore.founder == nil, restore.served == record.epoch {
                record.operation = nil
            }
        case .beginAnew(var restore, let founder):
            restore.founder = founder
            record.epoch += 1
            // The backup's data may be of an older release than the data it takes the place of.
            record.release = nil
            let incarnation = record.nextIncarnation()
            record.members = [founder: MemberRecord(incarnation: incarnation, state: .founding)]
            record.operation = .restore(restore)
        case .endRestore(let restore):
            record.operation = nil
            record.lastCommand = restore.command
        case .recordFounder(let member, let etcdID):
            record.members[member]?.etcdID = etcdID
            record.members[member]?.state = .voter
        case .beginJoin(let member, let machine):
            let incarnation = record.nextIncarnation()
            record.members[member] = MemberRecord(incarnation: incarnation, state: .joining, machine: machine)
            record.operation = .join(member: member)
        case .recordLearner(let member, let etcdID):
            record.members[member]?.etcdID = etcdID
        case .recordVoter(let member):
            record.members[member]?.state = .voter
            record.members[member]?.machine = nil
            record.operation = nil
        case .beginRemoval(let member):
            guard let etcdID = record.members[member]?.etcdID else { return nil }
            record.operation = .remove(member: member, etcdID: etcdID)
        case .recordRemoval(let member):
            record.members[member] = nil
            record.operation = nil
        case .recordRelease(let release): record.release = release
        case .beginRestart(let member):
            record.operation = .restart(member: member)
        case .endRestart:
            record.operation = nil
        case .addLearner, .promote, .remove, .removeStray: return nil
        }
        return record
    }

    /// The step for a person, such as `member b to be promoted`.
    var text: String {
        switch self {
        case .takeOver: "the new leader to take over"
        case .beginRestore(let command): "backup \(command.restore ?? "") to be restored"
        case .abandonRestore: "the restore to be given up"
        case .beginAnew(_, let founder): "member \(founder) to begin anew"
        case .endRestore: "the restore to end"
        case .recordFounder(let member, _): "member \(member) to be recorded"
        case .beginJoin(let member, _), .addLearner(let member): "member \(member) to join"
        case .recordLearner(let member, _), .promote(let member), .recordVoter(let member):
            "member \(member) to get its vote"
        case .beginRemoval(let member), .remove(let member, _), .recordRemoval(let member):
            "member \(member) to be taken out"
        case .removeStray: "a forgotten learner to be taken out"
        case .recordRelease(let release): "etcd \(release) to be recorded"
        case .beginRestart(let member), .endRestart(let member): "member \(member) to restart"
        }
    }
}

extension Operation {
    /// The operation for a person, such as `joining of b`.
    public var text: String {
        switch self {
        case .join(let member): "joining of \(member)"
        case .remove(let member, _): "removal of \(member)"
        case .restart(let member): "restart of \(member)"
        case .restore(let restore): "restore of \(restore.backup)"
        }
    }
}
