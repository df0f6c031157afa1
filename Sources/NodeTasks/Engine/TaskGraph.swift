// SPDX-License-Identifier: Apache-2.0
internal import HeapModule
public import NodeOS

/// Tasks in the order in which they can run.
///
/// The order is one for equal input: of the tasks that could come next, the one declared first does. Edges are those
/// declared (``ConvergentTask/after``, ``ConvergentTask/follows``) and those that follow from ``Claims``.
public struct TaskGraph<Reader: Sendable, Writer: Sendable>: Sendable {
    /// A task of this graph's target.
    public typealias Item = any ConvergentTask<Reader, Writer>

    /// The tasks, each after all it depends on.
    public let tasks: [Item]
    /// For each task, the positions of what must come before it, each once.
    let dependencies: [[Int]]
    /// For each task, the positions of those whose changes it follows.
    let followed: [[Int]]
    /// For each task, the positions of those that follow its changes, ascending.
    let followers: [[Int]]
    /// For each task, the positions of the tasks that carry one of its paths; until these are there, nothing is seen.
    let carriers: [[Int]]

    /// Orders tasks.
    ///
    /// - Throws: ``Failure`` with the code `duplicate-task`, `unknown-task`, `claimed-twice`, `claim-contradiction`
    ///   or `task-cycle`, each naming the tasks.
    public init(declared: [Item]) throws {
        let edges = try Self.edges(declared)
        let order = try Self.sorted(declared.map(\.id), edges.before)
        var position = [Int](repeating: 0, count: declared.count)
        for (place, index) in order.enumerated() { position[index] = place }
        tasks = order.map { declared[$0] }
        dependencies = order.map { edges.before[$0].map { position[$0] } }
        carriers = order.map { edges.carriers[$0].map { position[$0] } }
        followed = order.map { edges.followed[$0].map { position[$0] }.sorted() }
        var followers = [[Int]](repeating: [], count: declared.count)
        for (place, others) in followed.enumerated() {
            for other in others { followers[other].append(place) }
        }
        self.followers = followers
    }

    /// How many tasks there are.
    public var count: Int { tasks.count }
    /// The tasks' names, in order.
    public var ids: [TaskID] { tasks.map(\.id) }

    /// The names of what a task comes after, declared or derived, in order.
    public func dependencies(of id: TaskID) -> [TaskID] {
        guard let place = tasks.firstIndex(where: { $0.id == id }) else { return [] }
        return dependencies[place].sorted().map { tasks[$0].id }
    }
}

/// The tasks of a machine.
public typealias NodeTaskGraph = TaskGraph<any NodeReader, any NodeWriter>

/// A task whose target is a machine.
public protocol NodeTask: ConvergentTask<any NodeReader, any NodeWriter> {}

extension TaskGraph where Reader == any NodeReader, Writer == any NodeWriter {
    /// Orders the tasks of a machine.
    ///
    /// - Throws: ``Failure`` as the initializer for any target does.
    public init(_ tasks: [any NodeTask]) throws { try self.init(declared: tasks.map { Self.item($0) }) }

    /// The compiler sees the task's target only through a generic parameter.
    private static func item(_ task: some NodeTask) -> Item { task }
}

extension TaskGraph {
    /// Sorts by Kahn's algorithm, taking the task declared first among those that could come next.
    private static func sorted(_ ids: [TaskID], _ before: [[Int]]) throws -> [Int] {
        var missing = before.map(\.count)
        var dependants = [[Int]](repeating: [], count: ids.count)
        for (index, list) in before.enumerated() {
            for dependency in list { dependants[dependency].append(index) }
        }
        var ready = Heap(ids.indices.filter { missing[$0] == 0 })
        var order: [Int] = []
        order.reserveCapacity(ids.count)
        while let next = ready.popMin() {
            order.append(next)
            for dependant in dependants[next] {
                missing[dependant] -= 1
                if missing[dependant] == 0 { ready.insert(dependant) }
            }
        }
        guard order.count == ids.count else { throw cycle(ids, before, done: Set(order)) }
        return order
    }

    /// Names the tasks on one cycle: from any unsorted task, its dependencies lead into one.
    private static func cycle(_ ids: [TaskID], _ before: [[Int]], done: Set<Int>) -> Failure {
        var path: [Int] = []
        var next = ids.indices.first { !done.contains($0) }
        var seen: Set<Int> = []
        while let index = next, seen.insert(index).inserted {
            path.append(index)
            next = before[index].filter { !done.contains($0) }.min()
        }
        let start = next.flatMap { path.firstIndex(of: $0) } ?? 0
        return cycle((path[start...] + [path[start]]).map { ids[$0].name })
    }

    /// The refusal of a cycle, whose first task is named again at the end.
    static func cycle(_ names: [String]) -> Failure {
        Failure(
            .permanent,
            code: "task-cycle",
            "the tasks cannot be ordered, each of these comes after the next: \(names.joined(separator: ", "))",
            hint: "remove one of the edges (after, restartOn, or a path that lies below another task's)"
        )
    }
}
