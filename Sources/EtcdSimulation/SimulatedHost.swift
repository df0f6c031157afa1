// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS

/// A machine's own disk and process.
struct SimulatedHost: MemberHost {
    let hands: Hands
    let rules: SafetyRules

    private static let broken = Failure(.transient, code: "disk-error", "the disk does not do as it is told")

    private func act<Value: Sendable>(
        _ label: String,
        _ body: @escaping @Sendable (inout World, Int) throws -> Value
    ) async throws -> Value {
        try await hands.take(label, fates: [.answerLost, .refused], lost: Self.broken) {
            [machine = hands.machine] world in
            guard let volume = world.machines[machine].volume else {
                throw Failure(.waiting, code: "volume-not-found", "no volume")
            }
            world.note("m\(machine) \(label)")
            return try body(&world, volume)
        }
    }

    func look() async throws -> LocalSight {
        try await act("look") { [machine = hands.machine, rules] world, volume in
            try world.open(volume, on: machine, rules)
            let found = world.volumes[volume]
            let process = world.machines[machine].process
            return LocalSight(
                volume: found.isBlank ? .blank : .mounted(note: found.note, hasData: found.data != nil),
                process: process.map { .running(isCurrent: $0.release == world.release) } ?? .stopped
            )
        }
    }

    func format() async throws {
        try await act("format") { world, volume in
            let found = world.volumes[volume]
            if found.data != nil || found.note != nil { world.violate("a volume with data was formatted") }
            let member = world.volumes[volume].member
            world.volumes[volume] = Volume(member: member)
            world.volumes[volume].isFormatted = true
        }
    }

    func write(_ note: VolumeNote) async throws {
        try await act("note \(note.incarnation) \(note.initialised)") { world, volume in
            world.volumes[volume].note = note
        }
    }

    func setAside(_ kind: SetAside) async throws {
        try await act("set aside") { [machine = hands.machine] world, volume in
            if world.machines[machine].process != nil { world.violate("the data of a running etcd was moved") }
            if let data = world.volumes[volume].data { world.volumes[volume].aside.append(data) }
            world.volumes[volume].data = nil
        }
    }

    func resolve(_ addresses: [String: String]) async throws {
        try await act("resolve") { [machine = hands.machine] world, _ in
            world.machines[machine].names = addresses.compactMapValues { $0.dropFirst().first?.wholeNumberValue }
        }
    }

    func stop() async throws {
        try await act("stop") { [machine = hands.machine] world, _ in
            let isCommanded = world.isRestoring
            world.acting("a stop on m\(machine)", isCommanded: isCommanded) { $0.machines[machine].process = nil }
        }
    }

    func start(_ start: EtcdStart) async throws {
        try await act("start \(start.state)") { [machine = hands.machine] world, volume in
            guard start.release == world.release.release else { throw Self.broken }
            if let process = world.machines[machine].process {
                if process.release == world.release { return }
                // etcd lets no member run alone on a restart: a cluster of one is down for its own restart.
                let isNothingLost = world.soleVoter(machine) || world.hasJustRecovered
                world.acting("a restart on m\(machine)", isCommanded: isNothingLost) {
                    $0.machines[machine].process = nil
                }
                // It comes back at once, or somebody else starts it later.
                guard !world.chance(20) else { return }
            }
            try world.run(machine, volume, start)
        }
    }

    func lay(backup: String, for start: EtcdStart) async throws {
        try await act("lay \(backup)") { world, volume in
            guard let found = world.backups.first(where: { $0.name == backup }) else {
                throw Failure(.permanent, code: "backup-missing", "no such backup")
            }
            if world.volumes[volume].data != nil { world.violate("a backup was laid over data") }
            guard start.release == world.release.release else { throw Self.broken }
            guard found.minor <= world.release.minor else {
                throw Failure(.permanent, code: "backup-newer", "it is of a newer release")
            }
            guard world.isRestoring else { return world.violate("a backup was laid without a command") }
            world.volumes[volume].data = world.found(start, volume, with: found.writes)
        }
    }
}

extension World {
    /// Whether an operator's restore is under way; what follows from a command is done also when its record was just lost.
    var isRestoring: Bool {
        if record == nil { return !commands.isEmpty }
        guard let record = store.slots[Slot.record.path]?.value as? ClusterRecord,
            case .restore(let restore)? = record.operation
        else { return false }
        return commands.contains(restore.command)
    }

    func soleVoter(_ machine: Int) -> Bool { configuration(at: machine)?.voters.count == 1 }

    /// A cluster of one member, whose data a disk holds from now on.
    mutating func found(_ start: EtcdStart, _ volume: Int, with writes: Set<Int>) -> EtcdDisk {
        etcd.lastMemberID += 1
        let id = etcd.lastMemberID
        let configuration = Configuration(
            voters: [id],
            learners: [],
            urls: [id: start.peers[start.member] ?? ""],
            names: [id: start.member]
        )
        let entries = writes.sorted().map { EtcdLog.Entry.write($0) } + [.configuration(configuration)]
        etcd.logs.append(EtcdLog(token: start.token, entries: entries))
        let cluster = etcd.logs.count - 1
        if !writes.isEmpty || isRestoring {
            etcd.lawful = cluster
            etcd.acknowledged.formIntersection(writes)
        } else if etcd.lawful == nil {
            etcd.lawful = cluster
        } else {
            violate("a new cluster was begun beside the one there is")
        }
        return EtcdDisk(cluster: cluster, memberID: id, index: entries.count, minor: release.minor)
    }

    /// Starts etcd's program on a volume.
    mutating func run(_ machine: Int, _ volume: Int, _ start: EtcdStart) throws {
        guard !volumes[volume].isBlank else { throw Failure(.waiting, code: "unmounted", "not mounted") }
        if volumes[volume].data == nil {
            switch start.state {
            case .new: volumes[volume].data = found(start, volume, with: [])
            case .existing: volumes[volume].data = try join(machine, start)
            }
        }
        giveToRelease(volume)
        machines[machine].process = EtcdProcess(release: release, member: start.member)
        leaveIfRemoved(machine)
        if let disk = disk(of: machine), let volume = machines[machine].volume {
            // What runs as one member on two disks would be two members.
            let twins = machines.indices.filter { $0 != machine && self.disk(of: $0)?.memberID == disk.memberID }
            if !twins.isEmpty { violate("member \(disk.memberID) runs twice, on volume \(volume), too") }
        }
    }

    /// The data of a volume is given to the release that is declared now.
    private mutating func giveToRelease(_ volume: Int) {
        guard let data = volumes[volume].data else { return }
        let voters = etcd.logs[data.cluster].configuration(at: etcd.logs[data.cluster].entries.count)?.voters ?? []
        let oldest =
            volumes.compactMap(\.data)
            .filter { $0.cluster == data.cluster && voters.contains($0.memberID) }
            .map(\.minor).min() ?? data.minor
        if release.minor < data.minor { violate("etcd 3.\(release.minor) was started on data of 3.\(data.minor)") }
        if release.minor > min(oldest, data.minor) + 1 {
            violate("etcd 3.\(release.minor) was started where there is data of 3.\(oldest)")
        }
        volumes[volume].data?.minor = release.minor
    }

    /// Finds out from its peers which member an etcd without data is, as etcd does.
    private func join(_ machine: Int, _ start: EtcdStart) throws -> EtcdDisk {
        for name in start.peers.keys.sorted() where name != start.member {
            guard let peer = machines[machine].names[name], serves(peer, group: machines[machine].group),
                let disk = disk(of: peer), let found = configuration(at: peer),
                let id = found.urls.first(where: { $0.value == start.peers[start.member] })?.key
            else { continue }
            return EtcdDisk(cluster: disk.cluster, memberID: id, index: 0, minor: release.minor)
        }
        throw Failure(.transient, code: "etcd-ended", "no peer knows this member")
    }
}
