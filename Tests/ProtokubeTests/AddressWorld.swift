// SPDX-License-Identifier: Apache-2.0
import NodeTesting

@testable import Protokube

/// Machines, the Lease they share and the network between, as events in time: requests take their time, get lost, or
/// arrive long after their sender gave up; programs stand still, end and start again; machines are cut off or die.
struct AddressWorld {
    private struct Machine {
        var election: AddressElection
        /// Counts the lives of its program: what was meant for an earlier one is lost.
        var life = 0
        /// Counts its looks: an answer after its time-out is lost.
        var look = 0
        var pausedUntil: Duration = .zero
        var cutOffUntil: Duration = .zero
        var isDead = false
        /// Until when the kernel has the address.
        var heldUntil: Duration = .zero
    }

    private enum Event {
        case look(life: Int)
        case readArrives(AddressLease?, life: Int, look: Int)
        case writeServed(AddressLease, asked: Duration, life: Int, look: Int)
        case writeArrives(AddressLease?, asked: Duration, life: Int, look: Int)
        case timeout(life: Int, look: Int)
    }

    private struct Entry {
        var time: Duration
        var machine: Int
        var event: Event
    }

    private(set) var now: Duration = .zero
    private(set) var violations: [String] = []
    /// How often the address came to a machine that did not have it.
    private(set) var moves = 0
    private var machines: [Machine]
    private var queue: [Entry] = []
    private var lease: AddressLease?
    private var version = 0
    private var random: Seeded
    private let timing = AddressElection.Timing()
    private var isTroubled: Bool

    init(_ count: Int, isTroubled: Bool, seed: UInt64) {
        random = Seeded(seed)
        self.isTroubled = isTroubled
        machines = (0..<count).map { Machine(election: AddressElection(identity: "cp-\($0)")) }
        for index in machines.indices { schedule(.milliseconds(Int.random(in: 0...3000, using: &random)), index) }
    }

    /// The machine that has the address.
    var holder: Int? { machines.indices.first { !machines[$0].isDead && machines[$0].heldUntil > now } }

    /// Ends all that is wrong but deaths.
    mutating func heal() {
        isTroubled = false
        for index in machines.indices {
            machines[index].pausedUntil = now
            machines[index].cutOffUntil = now
        }
    }

    /// A machine without power.
    mutating func kill(_ index: Int) { machines[index].isDead = true }

    /// Goes on until an instant, or until something holds.
    mutating func run(until end: Duration, orUntil condition: (AddressWorld) -> Bool = { _ in false }) {
        while !condition(self), let next = queue.indices.min(by: { queue[$0].time < queue[$1].time }),
            queue[next].time <= end
        {
            let entry = queue.remove(at: next)
            now = max(now, entry.time)
            handle(entry)
            disturb()
        }
        if !condition(self) { now = max(now, end) }
    }

    private mutating func schedule(_ delay: Duration, _ machine: Int, _ event: Event? = nil) {
        let life = machines[machine].life
        queue.append(Entry(time: now + delay, machine: machine, event: event ?? .look(life: life)))
    }

    private mutating func handle(_ entry: Entry) {
        let index = entry.machine
        // What the API server does, no pause of a client stops.
        if case .writeServed(let wanted, let asked, let life, let look) = entry.event {
            return serve(wanted, asked, life, look, index)
        }
        guard !machines[index].isDead else { return }
        guard machines[index].pausedUntil <= now else {
            queue.append(Entry(time: machines[index].pausedUntil, machine: index, event: entry.event))
            return
        }
        let machine = machines[index]
        switch entry.event {
        case .look(machine.life): look(index)
        case .readArrives(let lease, machine.life, machine.look): arrived(lease, index)
        case .writeArrives(let written, let asked, machine.life, machine.look): wrote(written, asked, index)
        case .timeout(machine.life, machine.look): failed(index)
        default: break
        }
    }

    private mutating func look(_ index: Int) {
        machines[index].look += 1
        let (life, look) = (machines[index].life, machines[index].look)
        schedule(.seconds(2), index, .timeout(life: life, look: look))
        guard machines[index].cutOffUntil <= now else { return }
        // Read on the way: between now and then the Lease does not change, which only makes it older for its reader.
        schedule(latency(), index, .readArrives(lease, life: life, look: look))
    }

    private mutating func arrived(_ lease: AddressLease?, _ index: Int) {
        guard let claim = machines[index].election.read(lease, at: now) else { return settle(index) }
        let (life, look) = (machines[index].life, machines[index].look)
        guard machines[index].cutOffUntil <= now else { return }
        // Some arrive when their sender has long given up.
        let isLate = isTroubled && Int.random(in: 0..<20, using: &random) == 0
        let delay = isLate ? Duration.milliseconds(Int.random(in: 1000...12000, using: &random)) : latency()
        schedule(delay, index, .writeServed(claim, asked: now, life: life, look: look))
    }

    private mutating func serve(_ wanted: AddressLease, _ asked: Duration, _ life: Int, _ look: Int, _ index: Int) {
        var written: AddressLease?
        if lease?.version == wanted.version {
            version += 1
            lease = wanted
            lease?.version = "\(version)"
            written = lease
        }
        let isLost = machines[index].cutOffUntil > now
        guard !isLost else { return }
        schedule(latency(), index, .writeArrives(written, asked: asked, life: life, look: look))
    }

    private mutating func wrote(_ written: AddressLease?, _ asked: Duration, _ index: Int) {
        guard let written else { return failed(index) }
        if !written.holder.isEmpty { machines[index].election.wrote(written, asked: asked, at: now) }
        settle(index)
    }

    private mutating func failed(_ index: Int) {
        machines[index].look += 1
        if machines[index].election.tenure(at: now) == nil { machines[index].heldUntil = .zero }
        schedule(timing.retry, index)
    }

    private mutating func settle(_ index: Int) {
        machines[index].look += 1
        if let seconds = machines[index].election.tenure(at: now) {
            let others = machines.indices.filter { $0 != index && !machines[$0].isDead && machines[$0].heldUntil > now }
            if !others.isEmpty { violations.append("at \(now) on \(index) while on \(others)") }
            if machines[index].heldUntil <= now { moves += 1 }
            // The kernel looks once a second.
            let late = Duration.milliseconds(Int.random(in: 0...1000, using: &random))
            machines[index].heldUntil = now + .seconds(seconds) + late
        } else {
            machines[index].heldUntil = .zero
        }
        let next = machines[index].election.nextLook(after: now)
        schedule(max(next - now, .milliseconds(1)), index)
    }

    private mutating func latency() -> Duration { .milliseconds(Int.random(in: 1...300, using: &random)) }

    /// Something goes wrong somewhere, now and then.
    private mutating func disturb() {
        guard isTroubled, Int.random(in: 0..<12, using: &random) == 0 else { return }
        let index = Int.random(in: machines.indices, using: &random)
        let span = Duration.milliseconds(Int.random(in: 100...20_000, using: &random))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: machines[index].pausedUntil = now + span
        case 1: machines[index].cutOffUntil = now + span
        case 2: restart(index, resigning: false)
        default: restart(index, resigning: true)
        }
    }

    /// The program ends and starts again; killed, it leaves the address to the kernel.
    private mutating func restart(_ index: Int, resigning: Bool) {
        if resigning, machines[index].pausedUntil <= now {
            machines[index].heldUntil = .zero
            if let resignation = machines[index].election.resignation {
                schedule(latency(), index, .writeServed(resignation, asked: now, life: -1, look: -1))
            }
        }
        machines[index].life += 1
        machines[index].election = AddressElection(identity: "cp-\(index)")
        schedule(.milliseconds(Int.random(in: 100...4000, using: &random)), index)
    }
}
