// SPDX-License-Identifier: Apache-2.0
import EtcdManager

/// etcd's behaviour.
extension World {
    /// The disk that a machine's etcd runs on.
    func disk(of machine: Int) -> EtcdDisk? {
        guard machines[machine].process != nil, let volume = machines[machine].volume else { return nil }
        return volumes[volume].data
    }

    /// Whether a machine's etcd answers somebody in a group.
    func serves(_ machine: Int, group: Int) -> Bool {
        let found = machines[machine]
        return found.isUp && !found.isPaused && found.group == group && disk(of: machine) != nil
    }

    /// The machines whose etcd belongs to a cluster and reaches a machine.
    func reachable(from machine: Int, cluster: Int) -> [Int] {
        machines.indices.filter {
            serves($0, group: machines[machine].group) && disk(of: $0)?.cluster == cluster
        }
    }

    /// The member that could lead those around a machine: the one with the longest log, if a quorum by its own account
    /// is there.
    func candidate(at machine: Int, cluster: Int) -> (machine: Int, disk: EtcdDisk, members: [Int])? {
        let around = reachable(from: machine, cluster: cluster)
        let disks = around.compactMap { number in disk(of: number).map { (number, $0) } }
        let log = etcd.logs[cluster]
        for (number, disk) in disks.sorted(by: { ($0.1.index, $1.0) > ($1.1.index, $0.0) }) {
            guard let configuration = log.configuration(at: disk.index) else { continue }
            guard configuration.voters.contains(disk.memberID) else { continue }
            // Who has more gives no vote to somebody who has less.
            let present = disks.filter {
                configuration.voters.contains($0.1.memberID) && $0.1.index <= disk.index
            }
            guard Set(present.map(\.1.memberID)).count >= configuration.quorum else { continue }
            return (number, disk, around)
        }
        return nil
    }

    /// Agrees on an entry, if there is a quorum around a machine.
    mutating func commit(_ entry: EtcdLog.Entry, at machine: Int) -> Bool {
        guard let cluster = disk(of: machine)?.cluster,
            let (leader, found, around) = candidate(at: machine, cluster: cluster)
        else { return false }
        let log = etcd.logs[cluster]
        if found.index < log.entries.count {
            let kept = log.writes(upTo: found.index)
            let lost = log.writes(upTo: log.entries.count).subtracting(kept).intersection(etcd.acknowledged)
            if cluster == etcd.lawful, !lost.isEmpty { violate("acknowledged writes \(lost.sorted()) are lost") }
            etcd.logs[cluster].entries.removeLast(log.entries.count - found.index)
        }
        etcd.logs[cluster].entries.append(entry)
        etcd.logs[cluster].leader = found.memberID
        let end = etcd.logs[cluster].entries.count
        guard let configuration = etcd.logs[cluster].configuration(at: found.index) else { return false }
        // A quorum has it at once, whoever else is there perhaps later.
        var missing = configuration.quorum
        for number in [leader] + around.filter({ $0 != leader }) {
            guard let disk = disk(of: number), let volume = machines[number].volume else { continue }
            let votes = configuration.voters.contains(disk.memberID)
            guard (votes && missing > 0) || chance(50) else { continue }
            volumes[volume].data?.index = end
            if votes { missing -= 1 }
        }
        return true
    }

    /// Lets one member catch up with the others around it.
    mutating func replicate(_ machine: Int) {
        guard let disk = disk(of: machine), let volume = machines[machine].volume,
            let (_, found, _) = candidate(at: machine, cluster: disk.cluster), found.index > disk.index
        else { return }
        volumes[volume].data?.index = found.index
        leaveIfRemoved(machine)
    }

    /// A client writes by way of a machine.
    mutating func write(at machine: Int) {
        guard let cluster = disk(of: machine)?.cluster, !machines[machine].isPaused else { return }
        etcd.lastWrite += 1
        let number = etcd.lastWrite
        guard commit(.write(number), at: machine) else { return }
        if cluster != etcd.lawful { violate("a second cluster serves clients") }
        if cluster == etcd.lawful, chance(80) { etcd.acknowledged.insert(number) }
        note("client: wrote \(number) at m\(machine)")
    }

    /// A member that learns that it is out ends itself.
    mutating func leaveIfRemoved(_ machine: Int) {
        guard let disk = disk(of: machine), let now = etcd.logs[disk.cluster].configuration(at: disk.index) else {
            return
        }
        let everWas = disk.index > 0
        if everWas, !now.voters.contains(disk.memberID), !now.learners.contains(disk.memberID) {
            machines[machine].process = nil
        }
    }

    /// The members by the account of one of them.
    func configuration(at machine: Int) -> Configuration? {
        disk(of: machine).flatMap { etcd.logs[$0.cluster].configuration(at: $0.index) }
    }

    /// Changes who is a member, by way of a machine.
    mutating func change(at machine: Int, _ edit: (inout Configuration, inout World) throws -> Void) throws {
        guard let cluster = disk(of: machine)?.cluster, let (_, found, _) = candidate(at: machine, cluster: cluster),
            var configuration = etcd.logs[cluster].configuration(at: found.index)
        else { throw EtcdError.unreachable(endpoint: "m\(machine)", reason: "no leader") }
        try edit(&configuration, &self)
        guard commit(.configuration(configuration), at: machine) else {
            throw EtcdError.unreachable(endpoint: "m\(machine)", reason: "no leader")
        }
        for number in machines.indices { leaveIfRemoved(number) }
    }
}
