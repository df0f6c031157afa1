// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTasks

/// A task of the engine whose target is this host as a cloud.
protocol LocalTask: ConvergentTask where Reader == LocalHostReader, Writer == LocalHost, Step: LocalStep {
    /// What a plan calls it: `network`, `volume`, `machine`.
    var kind: String { get }
    /// The object's name.
    var name: String { get }
}

extension LocalTask {
    var id: TaskID { TaskID("\(kind):\(name)") }
}

/// A step that also says what it does to the object as a whole.
protocol LocalStep: PlannedStep {
    var action: CloudChange.Action { get }
}

/// Walks tasks in the order of their edges; those that are ready run at the same time.
enum LocalRunner {
    /// What would change, without changing anything.
    static func plan(_ tasks: [any LocalTask], on host: LocalHostReader) async throws -> [CloudChange] {
        var changes: [CloudChange] = []
        for task in tasks {
            if let change = try await change(task, on: host) { changes.append(change) }
        }
        return changes.sorted()
    }

    /// Makes the host hold what the tasks declare.
    ///
    /// One task's failure does not stop those beside it, but all after it.
    static func converge(_ tasks: [any LocalTask], on host: LocalHost, progress: (CloudChange) -> Void) async throws {
        var left = tasks
        var done: Set<TaskID> = []
        while !left.isEmpty {
            let ready = left.filter { task in task.after.allSatisfy { edge in done.contains(edge) } }
            guard !ready.isEmpty else {
                throw Failure(.permanent, code: "task-cycle", "\(left[0].id) waits for a task that is not there")
            }
            for task in ready {
                if let change = try await change(task, on: host.reader) { progress(change) }
            }
            let failures = await withTaskGroup(of: (Int, (any Error)?).self) { group in
                for (index, task) in ready.enumerated() {
                    group.addTask {
                        do {
                            try await converge(task, on: host)
                            return (index, nil)
                        } catch {
                            return (index, error)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            // The first in the declared order, so that the same fault gives the same message.
            for (_, failure) in failures.sorted(by: { $0.0 < $1.0 }) {
                if let failure { throw failure }
            }
            done.formUnion(ready.map(\.id))
            left.removeAll { done.contains($0.id) }
        }
    }

    private static func change(_ task: some LocalTask, on host: LocalHostReader) async throws -> CloudChange? {
        let steps = try await task.plan(from: task.find(on: host))
        guard let first = steps.first else { return nil }
        return CloudChange(first.action, task.kind, task.name, details: steps.map(\.change.description))
    }

    private static func converge(_ task: some LocalTask, on host: LocalHost) async throws {
        for step in try await task.plan(from: task.find(on: host.reader)) { try await task.apply(step, on: host) }
        let rest = try await task.plan(from: task.find(on: host.reader))
        guard rest.isEmpty else {
            throw Failure(
                .permanent,
                code: "did-not-converge",
                "\(task.id) is not as declared after all steps: \(rest.map(\.change.description).joined(separator: ", "))"
            )
        }
    }
}
