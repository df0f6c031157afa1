// SPDX-License-Identifier: Apache-2.0
import NodeTasks
import Synchronization

/// A target that remembers what was done to it, for tests of the engine alone.
final class Ledger: Sendable {
    private let state = Mutex(State())

    struct State {
        var done: Set<TaskID> = []
        var order: [TaskID] = []
        var applied: [String] = []
        var running: [String: Int] = [:]
        var peak: [String: Int] = [:]
        var failures: [TaskID: [any Error]] = [:]
    }

    func update<Value: Sendable>(_ body: (inout sending State) -> Value) -> Value { state.withLock { body(&$0) } }
    var order: [TaskID] { update { $0.order } }
    var applied: [String] { update { $0.applied } }
    func peak(_ name: String) -> Int { update { $0.peak[name] ?? 0 } }
    func fail(_ id: TaskID, with errors: [any Error]) { update { $0.failures[id] = errors } }
}

/// A task that is done once it was applied.
struct StubTask: ConvergentTask {
    typealias Found = Bool

    struct Step: PlannedStep {
        var ids: [TaskID]
        var change: Change { Change("done", to: .text(ids.map(\.name).joined(separator: ","))) }
    }

    var id: TaskID
    var after: [TaskID] = []
    var claims = Claims()
    var lane: String?
    var follows: [TaskID] = []
    /// Never becomes as declared.
    var isStubborn = false

    func find(on target: Ledger) async throws -> Bool? { target.update { $0.done.contains(id) ? true : nil } }

    func plan(from found: Bool?) throws -> [Step] { found == nil || isStubborn ? [Step(ids: [id])] : [] }

    func apply(_ step: Step, on target: Ledger) async throws {
        let error: (any Error)? = target.update { state in
            state.applied.append(step.ids.map(\.name).joined(separator: ","))
            for name in ["all", lane ?? ""] {
                state.running[name, default: 0] += 1
                state.peak[name] = max(state.peak[name] ?? 0, state.running[name] ?? 0)
            }
            for id in step.ids where state.failures[id]?.isEmpty == false { return state.failures[id]?.removeFirst() }
            return nil
        }
        for _ in 0..<10 { await Task.yield() }
        target.update { state in
            for name in ["all", lane ?? ""] { state.running[name, default: 0] -= 1 }
            guard error == nil else { return }
            state.done.formUnion(step.ids)
            state.order += step.ids
        }
        if let error { throw error }
    }

    static func merge(_ steps: [Step]) -> [Step]? { steps.isEmpty ? [] : [Step(ids: steps.flatMap(\.ids))] }
}

typealias StubGraph = TaskGraph<Ledger, Ledger>

extension TaskGraph where Reader == Ledger, Writer == Ledger {
    init(stubs: [StubTask]) throws { try self.init(declared: stubs.map { $0 as any ConvergentTask<Ledger, Ledger> }) }
}
