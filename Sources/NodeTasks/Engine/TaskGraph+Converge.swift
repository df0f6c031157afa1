// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import NodeOS

extension TaskGraph {
    /// Makes the target what the tasks declare.
    ///
    /// Each task is found, planned, applied and planned again: only an empty second plan is convergence (otherwise the
    /// failure is `did-not-converge`). Tasks run as soon as those they depend on have converged; one failure stops what
    /// depends on it and nothing else. Always returns: what fails is in the report.
    public func converge(
        on writer: Writer,
        reader: Reader,
        options: ConvergeOptions = ConvergeOptions(),
        observer: (any ConvergeObserver)? = nil
    ) async -> ConvergeReport {
        let started = options.now()
        var random = options.random
        let runner = Runner(
            graph: self,
            writer: writer,
            reader: reader,
            options: options,
            observer: observer,
            seeds: tasks.map { _ in random.next() }
        )
        await observer?.runStarted(total: tasks.count)
        let reports = await schedule(runner)
        return ConvergeReport(tasks: reports, started: started, ended: options.now())
    }

    private func schedule(_ runner: Runner) async -> [TaskRecord] {
        var schedule = Schedule(dependencies: dependencies, lanes: tasks.map(\.lane), mergers: tasks.map(Self.merger))
        var reports = [TaskRecord?](repeating: nil, count: tasks.count)
        await withTaskGroup(of: [(place: Int, report: TaskRecord)].self) { group in
            var running = 0
            while true {
                while running < runner.options.width, let batch = schedule.next() {
                    running += 1
                    for place in batch { await runner.observer?.taskStarted(tasks[place].id) }
                    group.addTask { await runner.run(batch) }
                }
                guard let finished = await group.next() else { break }
                running -= 1
                for (place, report) in finished {
                    reports[place] = report
                    await runner.observer?.taskFinished(report)
                    for lost in schedule.finish(place, succeeded: report.failure == nil) {
                        let report = notReached(lost, because: place, at: runner.options.now())
                        reports[lost] = report
                        await runner.observer?.taskFinished(report)
                    }
                }
            }
        }
        return settled(reports)
    }

    private func notReached(_ place: Int, because cause: Int, at time: Date) -> TaskRecord {
        TaskRecord(
            id: tasks[place].id,
            outcome: .notReached(because: tasks[cause].id),
            changes: [],
            attempts: 0,
            start: time,
            end: time
        )
    }

    /// The reports, each unreached task blamed on the first failure in order, whichever failed first in time.
    private func settled(_ reports: [TaskRecord?]) -> [TaskRecord] {
        var blame = [Int?](repeating: nil, count: tasks.count)
        return reports.enumerated().compactMap { place, report in
            guard let report else { return nil }
            if report.failure != nil { blame[place] = place }
            guard case .notReached = report.outcome else { return report }
            blame[place] = dependencies[place].compactMap { blame[$0] }.min()
            return notReached(place, because: blame[place] ?? place, at: report.start)
        }
    }

    /// What identifies the tasks whose steps can be merged with this one's; `nil` for none.
    private static func merger(_ task: Item) -> ObjectIdentifier? {
        func of<Kind: ConvergentTask<Reader, Writer>>(_ task: Kind) -> ObjectIdentifier? {
            task.lane != nil && Kind.merge([]) != nil ? ObjectIdentifier(Kind.self) : nil
        }
        return of(task)
    }
}

/// Which tasks may run now.
private struct Schedule {
    private var missing: [Set<Int>]
    private var dependants: [[Int]]
    private var ready: Set<Int>
    private var busy: Set<String> = []
    private let lanes: [String?]
    private let mergers: [ObjectIdentifier?]

    init(dependencies: [Set<Int>], lanes: [String?], mergers: [ObjectIdentifier?]) {
        missing = dependencies
        dependants = [[Int]](repeating: [], count: dependencies.count)
        for (place, set) in dependencies.enumerated() {
            for dependency in set { dependants[dependency].append(place) }
        }
        ready = Set(dependencies.indices.filter { dependencies[$0].isEmpty })
        self.lanes = lanes
        self.mergers = mergers
    }

    /// The first task whose lane is free, with all that can be merged with it.
    mutating func next() -> [Int]? {
        let free = ready.sorted().filter { place in lanes[place].map { !busy.contains($0) } ?? true }
        guard let first = free.first else { return nil }
        var batch = [first]
        if let merger = mergers[first] {
            batch = free.filter { mergers[$0] == merger && lanes[$0] == lanes[first] }
        }
        ready.subtract(batch)
        if let lane = lanes[first] { busy.insert(lane) }
        return batch
    }

    /// Frees the task's lane and what waited for it; after a failure, gives what will never be reached instead.
    mutating func finish(_ place: Int, succeeded: Bool) -> [Int] {
        if let lane = lanes[place] { busy.remove(lane) }
        guard !succeeded else {
            for dependant in dependants[place] where missing[dependant].remove(place) != nil {
                if missing[dependant].isEmpty { ready.insert(dependant) }
            }
            return []
        }
        var lost: Set<Int> = []
        var stack = dependants[place]
        while let next = stack.popLast() {
            // A task that lost its way once waits for itself, so that it never becomes ready and is reported once.
            guard !missing[next].contains(next), lost.insert(next).inserted else { continue }
            missing[next].insert(next)
            stack += dependants[next]
        }
        return lost.sorted()
    }
}
