// SPDX-License-Identifier: Apache-2.0
import NodeTasks
import NodeTesting
import SystemPackage
import Testing

/// Random tasks on random machines: a plan tells exactly what one run then does.
struct RandomMachineTests {
    @Test("a plan is what the run does, and one run is enough", arguments: Seeded.seeds(200))
    func planAndRun(seed: UInt64) async throws {
        let state = RandomMachine(seed: seed)
        var random = state.random
        let graph = try NodeTaskGraph(state.tasks)
        let node = FakeNode(state.machine)
        let plan = try await graph.plan(on: node)
        #expect(await node.effects.isEmpty, "\(random)")
        let options = ConvergeOptions(
            width: Int.random(in: 1...4, using: &random),
            clock: SimulatedClock(),
            random: Seeded(seed)
        )
        let report = await graph.converge(on: node, reader: node, options: options)
        #expect(!report.failed && report.tasks.allSatisfy { $0.attempts == 1 }, "\(random)\n\(report.text)")
        for (planned, done) in zip(plan.entries, report.tasks) {
            #expect(planned.id == done.id && planned.changes == done.changes, "\(random)\n\(planned)\n\(done)")
        }
        let rest = try await graph.plan(on: node)
        #expect(rest.isEmpty, "\(random)\n\(rest.text)")
        #expect(await node.owed() == [], "\(random)")
        let before = await node.snapshot()
        let again = await graph.converge(on: node, reader: node, options: options)
        #expect(again.changedCount == 0 && !again.failed, "\(random)\n\(again.text)")
        #expect(await node.snapshot() == before, "\(random)")
    }

    /// systemd forgets at any reload which units were outdated; what one task's reload makes it forget, another's misses.
    @Test func aReloadForOneUnitLosesNoRestartOfAnother() async throws {
        var machine = FakeMachine()
        machine.put("new\n", at: "/etc/systemd/system/outdated.service")
        var unit = FakeMachine.Unit()
        (unit.isActive, unit.isEnabled, unit.loaded, unit.startedWith) = (true, true, "old\n", ["old\n"])
        machine.units["outdated.service"] = unit
        let graph = try NodeTaskGraph([
            ServiceTask("first.service", definition: "new\n"), ServiceTask("outdated.service", definition: "new\n"),
        ])
        let node = FakeNode(machine)
        let plan = try await graph.plan(on: node)
        let report = await graph.converge(on: node, reader: node, options: ConvergeOptions(width: 1))
        #expect(plan.entries.map(\.changes) == report.tasks.map(\.changes))
        #expect(await node.owed() == [])
    }

    @Test func everyKindIsTried() {
        var kinds: Set<String> = []
        for seed in 1...UInt64(60) {
            for task in RandomMachine(seed: seed).tasks { kinds.insert(String(task.id.name.prefix { $0 != ":" })) }
        }
        #expect(kinds == TasksFile.kindNames)
    }
}
