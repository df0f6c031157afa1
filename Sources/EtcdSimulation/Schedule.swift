// SPDX-License-Identifier: Apache-2.0
public import EtcdManager
import NodeTesting

/// One run of the manager on five machines to which everything happens that happens to machines.
///
/// A seed is a run: the same one gives the same turns, byte for byte.
public struct Schedule: Sendable {
    /// What came of a run.
    public struct Outcome: Sendable, Equatable {
        /// The run's seed.
        public var seed: UInt64
        /// Every promise that was broken, with the turn.
        public var violations: [String]
        /// What happened, a line each; empty unless it was asked for.
        public var trace: [String]
        /// How much was done, for telling that something was.
        public var tally: Tally
    }

    /// How much happened in a run.
    public struct Tally: Sendable, Equatable {
        /// The writes that clients were told are kept.
        public var acknowledged = 0
        /// Clusters that were begun, by the manager or from backups.
        public var clusters = 0
        /// Incarnations of members.
        public var incarnations = 0
        /// Whether everything was as declared in the end.
        public var isConverged = false
    }

    /// Decides everything.
    public let seed: UInt64
    private let rules: SafetyRules
    private let traced: Bool

    /// Makes a run.
    public init(seed: UInt64, rules: SafetyRules = .all, traced: Bool = false) {
        self.seed = seed
        self.rules = rules
        self.traced = traced
    }

    /// Turns during which things go wrong, and those that are left to recover.
    private static let hostile = 900
    private static let peaceful = 6000
    private static let watched = 1000

    /// Runs it.
    public func run() async -> Outcome {
        let turns = Turns()
        var world = World(seed: seed, traced: traced)
        await withTaskGroup(of: Void.self) { group in
            turns.began(world.machines.count)
            for machine in world.machines.indices {
                group.addTask { [rules] in
                    await Program(turns: turns, machine: machine, rules: rules).run()
                    turns.ended()
                }
            }
            await drive(&world, turns)
            _ = await turns.settled()
            turns.finish()
            await group.waitForAll()
        }
        return outcome(world)
    }

    private func drive(_ world: inout World, _ turns: Turns) async {
        while world.turn < Self.hostile, world.violations.isEmpty {
            let waiting = await turns.settled()
            step(&world, turns, waiting)
        }
        makePeace(&world, turns)
        var calm = 0
        while world.turn < Self.hostile + Self.peaceful, world.violations.isEmpty, calm < 40 {
            let waiting = await turns.settled()
            step(&world, turns, waiting)
            calm = world.isConverged ? calm + 1 : 0
            // A declaration that is refused is put right by whoever made it; who read it before may still have noted it.
            if world.turn % 100 == 0, let newest = world.newestMinor, newest > world.release.minor {
                world.declare(minor: newest)
            }
            // What only a person can mend is watched for a while, and does not get better.
            if world.turn == Self.hostile + Self.watched, !world.canConverge { break }
        }
        let mustConverge = world.violations.isEmpty && calm < 40 && world.canConverge
        if mustConverge { world.violate("it is not as declared long after everything works again") }
    }

    /// One turn: something happens, or somebody does something.
    private func step(_ world: inout World, _ turns: Turns, _ waiting: [Turns.Waiting]) {
        world.turn += 1
        world.now += .milliseconds(5 + world.pick(60))
        world.recover()
        let ready = waiting.filter { request in
            let machine = world.machines[request.program]
            return machine.isUp && !machine.isPaused && request.due <= world.now
        }
        if ready.isEmpty || world.chance(world.isHostile ? 22 : 12) {
            if ready.isEmpty, let next = waiting.map(\.due).filter({ $0 > world.now }).min() { world.now = next }
            let event = world.isHostile ? world.pickEvent() : [.write, .replicate][world.pick(2)]
            for program in world.happen(event) { turns.kill(program) }
            return
        }
        let request = ready[world.pick(ready.count)]
        let fate = fate(of: request, &world)
        world.note("m\(request.program) \(fate == .answered ? "" : fate.rawValue + " ")\(request.label)")
        turns.give(request, in: &world, fate)
        if fate == .repeated { request.again(&world) }
    }

    private func fate(of request: Turns.Waiting, _ world: inout World) -> Fate {
        guard !request.fates.isEmpty, world.isHostile, world.chance(6) else { return .answered }
        return request.fates[world.pick(request.fates.count)]
    }

    private func makePeace(_ world: inout World, _ turns: Turns) {
        world.isHostile = false
        world.note("peace")
        for program in world.correct() { turns.kill(program) }
        for number in world.machines.indices {
            world.boot(number)
            world.machines[number].isPaused = false
            world.machines[number].reachesStore = true
            world.machines[number].hears = true
            world.machines[number].group = 0
        }
        if let newest = world.newestMinor { world.declare(minor: newest) }
    }

    private func outcome(_ world: World) -> Outcome {
        let record = world.store.slots[Slot.record.path]?.value as? ClusterRecord
        return Outcome(
            seed: seed,
            violations: world.violations,
            trace: world.trace ?? [],
            tally: Tally(
                acknowledged: world.etcd.acknowledged.count,
                clusters: world.etcd.logs.count,
                incarnations: record?.incarnations ?? 0,
                isConverged: world.isConverged
            )
        )
    }
}

extension World {
    var record: ClusterRecord? { store.slots[Slot.record.path]?.value as? ClusterRecord }

    /// Whether etcd is as declared.
    var isConverged: Bool {
        guard let record, record.operation == nil, record.voters == spec.members.sorted(),
            record.members.count == spec.members.count, isAvailable
        else { return false }
        return machines.allSatisfy { machine in
            guard let volume = machine.volume, spec.members.contains(volumes[volume].member) else { return true }
            return machine.process?.release == release
        }
    }

    /// Whether the manager can bring it about by itself: no member counted on has lost its data for good, but for one of
    /// three or more.
    var canConverge: Bool {
        guard let record else { return etcd.lawful == nil && backups.isEmpty && !volumes.contains { $0.data != nil } }
        if case .restore(let restore)? = record.operation { return restore.founder == nil && restore.lost.isEmpty }
        guard record.members.allSatisfy({ $0.value.state != .founding }) else { return false }
        guard let lawful = etcd.lawful,
            let configuration = etcd.logs[lawful].configuration(at: etcd.logs[lawful].entries.count)
        else { return false }
        let good = volumes.filter { volume in
            guard let data = volume.data, data.cluster == lawful, configuration.voters.contains(data.memberID) else {
                return false
            }
            return volume.note?.isOf(volume.member, in: record) == true
        }
        let missing = configuration.voters.count - good.count
        return missing == 0 || (missing == 1 && configuration.voters.count >= 3)
    }
}
