// SPDX-License-Identifier: Apache-2.0
import EtcdManager

/// One machine's program, in one of its lives, reaching for the world: everything it does waits for its turn.
struct Hands: Sendable {
    let turns: Turns
    let machine: Int
    let life: Int
    /// The machine's clock, which every turn shows anew.
    let clock: Clockwork

    func take<Value: Sendable>(
        _ label: String,
        due: Duration = .zero,
        fates: [Fate] = [],
        lost: any Error = Died(),
        _ body: @escaping @Sendable (inout World) throws -> Value
    ) async throws -> Value {
        try await turns.take(
            machine,
            life: life,
            label,
            due: due,
            fates: fates,
            lost: lost
        ) { [clock] world in
            clock.set(world.now)
            return try body(&world)
        }
    }
}

/// The shared store, as a machine reaches it.
struct SimulatedRegisters: Registers {
    let hands: Hands

    private static let lost = RegisterError.unavailable(reason: "no answer")

    /// A value for the trace; a dictionary's own order is another one at each run.
    private static func text(_ value: some Sendable) -> String {
        guard let record = value as? ClusterRecord else { return "\(value)" }
        let members = record.members.sorted { $0.key < $1.key }
        return "epoch \(record.epoch), fence \(record.fence), \(members), \(String(describing: record.operation))"
    }

    func read<Value>(_ slot: Slot<Value>) async throws -> Held<Value>? {
        let path = slot.path
        return try await hands.take("read \(path)", fates: Fate.travelling, lost: Self.lost) {
            [machine = hands.machine] world in
            guard world.machines[machine].reachesStore else { throw Self.lost }
            guard let found = world.store.slots[path] else { return nil }
            guard let value = found.value as? Value else { throw Self.lost }
            return Held(value, version: SlotVersion("\(found.version)"))
        }
    }

    func write<Value>(_ value: Value, to slot: Slot<Value>, replacing version: SlotVersion?) async throws {
        let path = slot.path
        try await hands.take("write \(path)", fates: Fate.travelling, lost: Self.lost) {
            [machine = hands.machine] world in
            guard world.machines[machine].reachesStore else { throw Self.lost }
            try world.store.write(value, to: path, replacing: version)
            world.note("m\(machine) \(path): \(Self.text(value))")
        }
    }
}

/// etcd's members, as a machine reaches them.
struct SimulatedEtcd: EtcdAPI {
    let hands: Hands

    private static func unreachable(_ endpoint: String) -> EtcdError {
        .unreachable(endpoint: endpoint, reason: "no answer")
    }

    private func ask<Value: Sendable>(
        _ label: String,
        at endpoint: String,
        _ body: @escaping @Sendable (inout World, Int) throws -> Value
    ) async throws -> Value {
        try await hands.take("\(label) at \(endpoint)", fates: Fate.travelling, lost: Self.unreachable(endpoint)) {
            [machine = hands.machine] world in
            guard let target = Machine.number(of: endpoint), world.answers(target, to: machine)
            else { throw Self.unreachable(endpoint) }
            return try body(&world, target)
        }
    }

    func status(of endpoint: String) async throws -> EtcdStatus {
        try await ask("status", at: endpoint) { world, target in try world.status(target, endpoint) }
    }

    func statuses(of endpoints: [String]) async -> [String: EtcdStatus] {
        let answers = try? await hands.take(
            "statuses",
            fates: [.refused],
            lost: EtcdError.unreachable(endpoint: "all", reason: "no answer")
        ) { [machine = hands.machine] world in
            var answers: [String: EtcdStatus] = [:]
            for endpoint in endpoints {
                guard let target = Machine.number(of: endpoint), world.answers(target, to: machine) else { continue }
                answers[endpoint] = try? world.status(target, endpoint)
            }
            return answers
        }
        return answers ?? [:]
    }

    func members(at endpoint: String) async throws -> EtcdMembers {
        try await ask("members", at: endpoint) { world, target in
            // Agreed on by a quorum, which makes the member that is asked catch up.
            guard let disk = world.disk(of: target), world.candidate(at: target, cluster: disk.cluster) != nil else {
                throw Self.unreachable(endpoint)
            }
            world.replicate(target)
            guard let found = world.configuration(at: target) else { throw Self.unreachable(endpoint) }
            let members = found.voters.union(found.learners).sorted().map { id in
                EtcdMember(
                    id: id,
                    name: found.names[id] ?? "",
                    peerURLs: [found.urls[id] ?? ""],
                    clientURLs: [],
                    isLearner: found.learners.contains(id)
                )
            }
            return EtcdMembers(clusterID: UInt64(disk.cluster), members: members)
        }
    }

    func addLearner(peerURL: String, at endpoint: String) async throws -> EtcdMember {
        try await ask("add \(peerURL)", at: endpoint) { world, target in
            world.etcd.lastMemberID += 1
            let id = world.etcd.lastMemberID
            try world.change(at: target) { configuration, _ in
                guard configuration.learners.isEmpty, !configuration.urls.values.contains(peerURL) else {
                    throw EtcdError.rejected(endpoint: endpoint, reason: "too many learners, or the URL is taken")
                }
                configuration.learners.insert(id)
                configuration.urls[id] = peerURL
            }
            return EtcdMember(id: id, name: "", peerURLs: [peerURL], clientURLs: [], isLearner: true)
        }
    }

    func promote(_ id: UInt64, at endpoint: String) async throws {
        try await ask("promote \(id)", at: endpoint) { world, target in
            try world.acting("the promotion of \(id)") { try $0.promote(id, target, endpoint) }
        }
    }

    func remove(_ id: UInt64, at endpoint: String) async throws {
        try await ask("remove \(id)", at: endpoint) { world, target in
            let votes = world.configuration(at: target)?.voters.contains(id) == true
            if votes, world.turn - (world.lastBackup ?? -World.fresh) >= World.fresh {
                world.violate("voter \(id) was taken out without a backup")
            }
            try world.acting("the removal of \(id)") { world in
                try world.change(at: target) { configuration, _ in
                    guard configuration.urls[id] != nil else {
                        throw EtcdError.rejected(endpoint: endpoint, reason: "member not found")
                    }
                    configuration.voters.remove(id)
                    configuration.learners.remove(id)
                    configuration.urls[id] = nil
                    guard !configuration.voters.isEmpty else {
                        throw EtcdError.rejected(endpoint: endpoint, reason: "nobody would be left")
                    }
                }
            }
        }
    }
}

extension World {
    /// Whether a machine's etcd answers another machine's program.
    func answers(_ target: Int, to machine: Int) -> Bool {
        machines[machine].hears && serves(target, group: machines[machine].group)
    }

    func status(_ target: Int, _ endpoint: String) throws -> EtcdStatus {
        guard let disk = disk(of: target) else { throw EtcdError.unreachable(endpoint: endpoint, reason: "no answer") }
        let leader = candidate(at: target, cluster: disk.cluster)?.disk.memberID
        let isLearner = configuration(at: target)?.learners.contains(disk.memberID) ?? true
        return EtcdStatus(
            version: machines[target].process?.release.release ?? "",
            clusterID: UInt64(disk.cluster),
            memberID: disk.memberID,
            leader: leader ?? 0,
            revision: Int64(disk.index),
            raftIndex: UInt64(disk.index),
            raftAppliedIndex: UInt64(disk.index),
            isLearner: isLearner
        )
    }

    mutating func promote(_ id: UInt64, _ target: Int, _ endpoint: String) throws {
        let group = machines[target].group
        let learner = machines.indices.first { disk(of: $0)?.memberID == id && serves($0, group: group) }
        let end = disk(of: target).map { etcd.logs[$0.cluster].entries.count } ?? 0
        try change(at: target) { configuration, world in
            guard configuration.learners.contains(id), let learner, let index = world.disk(of: learner)?.index,
                index * 10 >= end * 9
            else {
                throw EtcdError.rejected(endpoint: endpoint, reason: "the learner is not in step")
            }
            configuration.learners.remove(id)
            configuration.voters.insert(id)
        }
    }
}

/// The backups, as a machine reaches them.
struct SimulatedBackups: BackupVault {
    let hands: Hands

    private static let lost = RegisterError.unavailable(reason: "no answer")

    func isEmpty() async throws -> Bool {
        try await hands.take("list backups", fates: Fate.travelling, lost: Self.lost) {
            [machine = hands.machine] world in
            guard world.machines[machine].reachesStore else { throw Self.lost }
            return world.backups.isEmpty
        }
    }

    func take(before step: String, from endpoint: String) async throws {
        try await hands.take("back up before \(step)", fates: Fate.travelling, lost: Self.lost) {
            [machine = hands.machine] world in
            guard world.machines[machine].reachesStore, let target = Machine.number(of: endpoint),
                world.answers(target, to: machine)
            else { throw Self.lost }
            let before = world.backups.count
            world.backUp(target)
            if world.backups.count == before { throw Self.lost }
        }
    }
}
