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

/// The engine, with a plan in a cloud's words.
enum LocalRunner {
    /// What would change, without changing anything.
    static func plan(_ tasks: [any LocalTask], on host: LocalHostReader) async throws -> [CloudChange] {
        try await changes(tasks, on: host).values.sorted()
    }

    /// Makes the host hold what the tasks declare.
    ///
    /// One task's failure does not stop those beside it, but all after it; the first in order is thrown.
    static func converge(_ tasks: [any LocalTask], on host: LocalHost, progress: (CloudChange) -> Void) async throws {
        let graph = try TaskGraph<LocalHostReader, LocalHost>(declared: tasks.map { item($0) })
        let planned = try await changes(tasks, on: host.reader)
        let (started, continuation) = AsyncStream.makeStream(of: TaskID.self)
        // What can pass by itself, such as two programs after the same loop device, does so soon or not at all.
        let options = ConvergeOptions(retry: RetryPolicy(attempts: 3, cap: .seconds(2)), clock: host.clock)
        @Sendable func run() async -> ConvergeReport {
            defer { continuation.finish() }
            let observer = StartObserver(started: continuation)
            return await graph.converge(on: host, reader: host.reader, options: options, observer: observer)
        }
        // Beside it, for `progress` may not be called from elsewhere.
        async let report = run()
        for await id in started {
            if let change = planned[id] { progress(change) }
        }
        if let failure = await report.rootFailures.first?.failure { throw failure }
    }

    private static func changes(
        _ tasks: [any LocalTask],
        on host: LocalHostReader
    ) async throws -> [TaskID: CloudChange] {
        var changes: [TaskID: CloudChange] = [:]
        for task in tasks { changes[task.id] = try await change(task, on: host) }
        return changes
    }

    private static func change(_ task: some LocalTask, on host: LocalHostReader) async throws -> CloudChange? {
        let steps = try await task.plan(from: task.find(on: host))
        guard let first = steps.first else { return nil }
        return CloudChange(first.action, task.kind, task.name, details: steps.map(\.change.description))
    }

    /// The compiler sees the task's target only through a generic parameter.
    private static func item(_ task: some LocalTask) -> any ConvergentTask<LocalHostReader, LocalHost> { task }
}

/// Passes on which tasks begin.
private struct StartObserver: ConvergeObserver {
    let started: AsyncStream<TaskID>.Continuation

    func taskStarted(_ id: TaskID) async { started.yield(id) }
    func taskFinished(_ record: TaskRecord) async {}
}
