// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import NodeTasks

/// A machine on which the laws can be tried: it can be killed, and shown.
public protocol ContractNode: NodeWriter {
    /// Crashes right after the n-th write from now.
    func crash(afterWrite count: Int) async
    /// Whether it crashed.
    func hasCrashed() async -> Bool
    /// Takes the machine up again as it was left.
    func revive() async
    /// Everything the machine is, a line each, without what is random by nature.
    func snapshot() async throws -> [String]
    /// What is still owed whatever the tasks say, such as units that run with what was there before.
    func owed() async throws -> [String]
}

/// The five laws that every kind of task keeps, for tasks on a machine on which they have something to do.
public struct TaskContract<Node: ContractNode>: Sendable {
    /// Which law was broken, by which tasks, and how.
    public struct Violation: Error, CustomStringConvertible {
        /// All of it.
        public let description: String
    }

    /// What is being tried, for violations.
    let name: String
    private let ordered: Result<NodeTaskGraph, any Error>
    /// A machine as it is before the first run; each call gives an equal one.
    let machine: @Sendable () async throws -> Node

    /// Tries tasks on machines of which each is made anew.
    public init(
        _ name: String,
        tasks: [any NodeTask],
        on machine: @escaping @Sendable () async throws -> Node
    ) {
        self.name = name
        ordered = Result { try NodeTaskGraph(tasks) }
        self.machine = machine
    }

    /// Law 1: where something is to be done, the plan says so.
    public func planIsNotEmpty() async throws {
        let plan = try await graph().plan(on: machine())
        try expect(!plan.isEmpty && plan.failures.isEmpty, 1, "the plan is\n\(plan.text)")
        for entry in plan.entries { try expect(!entry.changes.isEmpty, 1, "\(entry.id) plans nothing") }
    }

    /// Law 2: after a run, the plan is empty, and a second run does nothing.
    public func convergedPlanIsEmpty() async throws {
        let node = try await machine()
        try await converge(node, law: 2)
        try await expectConverged(node, law: 2, "after a run")
        let before = try await node.snapshot()
        let again = try await run(node)
        try expect(!again.failed && again.changedCount == 0, 2, "a second run says\n\(again.text)")
        try expectSame(before, try await node.snapshot(), law: 2, "a second run changed the machine")
    }

    /// Law 3: a plan changes nothing, before and after a run.
    public func planChangesNothing() async throws {
        let node = try await machine()
        for moment in ["before the run", "after the run"] {
            let before = try await node.snapshot()
            // A machine that dies at its next write: a plan that writes anything fails.
            await node.crash(afterWrite: 0)
            let plan = try await graph().plan(on: node)
            try expect(plan.failures.isEmpty, 3, "the plan \(moment) fails\n\(plan.text)")
            let crashed = await node.hasCrashed()
            try expect(!crashed, 3, "the plan \(moment) wrote")
            await node.revive()
            try expectSame(before, try await node.snapshot(), law: 3, "the plan \(moment) changed the machine")
            try await converge(node, law: 3)
        }
    }

    /// Law 4: killed after any write, the next run leads to the same machine as one that was not killed.
    public func survivesCrashes() async throws {
        let undisturbed = try await machine()
        try await converge(undisturbed, law: 4)
        let wanted = try await undisturbed.snapshot()
        var count = 0
        while true {
            let node = try await machine()
            await node.crash(afterWrite: count)
            _ = try await run(node)
            let crashed = await node.hasCrashed()
            await node.revive()
            guard crashed else { break }
            try await converge(node, law: 4)
            try await expectConverged(node, law: 4, "killed after write \(count) and run again")
            try expectSame(wanted, try await node.snapshot(), law: 4, "killed after write \(count)")
            count += 1
        }
        try expect(count > 1, 4, "the run wrote nothing, so it could not be killed")
    }

    /// Law 5: equal input gives an equal plan, byte for byte.
    public func equalPlans() async throws {
        let first = try await graph().plan(on: machine())
        let second = try await graph().plan(on: machine())
        try expect(first.text == second.text, 5, "two plans differ\n\(first.text)\n\(second.text)")
        try expect(try first.json() == second.json(), 5, "two plans differ as JSON")
        try expect(first.digest == second.digest, 5, "two plans differ by their digests")
    }

    private func graph() throws -> NodeTaskGraph { try ordered.get() }

    private func run(_ node: Node) async throws -> ConvergeReport {
        let options = ConvergeOptions(width: 1, clock: SimulatedClock(), random: Seeded(1))
        return try await graph().converge(on: node, reader: node, options: options)
    }

    private func converge(_ node: Node, law: Int) async throws {
        let report = try await run(node)
        try expect(!report.failed, law, "the run failed\n\(report.text)")
    }

    private func expectConverged(_ node: Node, law: Int, _ moment: String) async throws {
        let plan = try await graph().plan(on: node)
        try expect(plan.isEmpty, law, "\(moment), the plan is not empty\n\(plan.text)")
        let owed = try await node.owed()
        try expect(owed.isEmpty, law, "\(moment), \(owed) have not been restarted")
    }

    private func expectSame(_ old: [String], _ new: [String], law: Int, _ what: String) throws {
        guard old != new else { return }
        let lost = old.filter { !new.contains($0) }.map { "- \($0)" }
        let gained = new.filter { !old.contains($0) }.map { "+ \($0)" }
        throw Violation(description: "\(name), law \(law): \(what)\n\((lost + gained).joined(separator: "\n"))")
    }

    private func expect(_ condition: Bool, _ law: Int, _ what: String) throws {
        if !condition { throw Violation(description: "\(name), law \(law): \(what)") }
    }
}
