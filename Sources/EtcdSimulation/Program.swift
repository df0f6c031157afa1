// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import FoundationEssentials

/// What runs on one machine, life after life.
struct Program: Sendable {
    let turns: Turns
    let machine: Int
    let rules: SafetyRules

    func run() async {
        while !turns.isOver {
            let life = turns.life(of: machine)
            let hands = Hands(turns: turns, machine: machine, life: life, clock: Clockwork())
            // Whatever ends a life, the next one begins with nothing but what is on disk.
            try? await live(hands)
        }
    }

    private func live(_ hands: Hands) async throws {
        let machine = machine
        let member = try await hands.take("boot") { world -> String? in
            world.machines[machine].volume.map { world.volumes[$0].member }
        }
        guard let member else {
            _ = try await hands.take("wait", due: .seconds(1 << 40)) { _ in }
            return
        }
        let clock = hands.clock
        var agent = EtcdAgent(
            place: EtcdAgent.Place(
                machine: "m\(machine)",
                member: member,
                address: "m\(machine)",
                clientURL: Machine(number: machine, volume: nil).clientURL
            ),
            holder: "m\(machine)-\(hands.life)",
            means: EtcdAgent.Means(
                registers: SimulatedRegisters(hands: hands),
                host: SimulatedHost(hands: hands, rules: rules),
                etcd: SimulatedEtcd(hands: hands),
                backups: SimulatedBackups(hands: hands),
                now: { clock.now },
                date: { Date(timeIntervalSince1970: 0) },
                randomID: { "id-\(machine)-\(hands.life)" }
            ),
            rules: rules
        )
        while true {
            let (spec, now) = try await hands.take("look at the spec") { world in (world.spec, world.now) }
            do {
                _ = try await agent.tick(spec)
            } catch is Died {
                throw Died()
            } catch {}
            try await hands.take("sleep", due: now + .seconds(2)) { _ in }
        }
    }
}
