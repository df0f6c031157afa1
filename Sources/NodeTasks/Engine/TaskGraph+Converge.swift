// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import NodeOS

extension TaskGraph {
    /// Makes the target what the tasks declare.
    ///
    /// Each task is found, planned, applied and planned again: only an empty second plan is convergence (otherwise the
    /// failure is `did-not-converge`). What is about to change is in the journal before it changes. Tasks run as soon as those they depend on have converged; one failure stops what
    /// depends on it and nothing else. Always returns: what fails is in the report.
    public func converge(
        on writer: Writer,
        reader: Reader,
        options: ConvergeOptions = ConvergeOptions(),
        observer: (any ConvergeObserver)? = nil,
        journal: (any ConvergeJournal)? = nil
    ) async -> ConvergeReport {
        let started = options.now()
        var random = options.random
        let runner = Runner(
            graph: self,
            writer: writer,
            reader: reader,
            options: options,
            observer: observer,
            journal: journal,
            approved: options.approved.map(Approval.init),
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
                    await runner.journal?.ended(report)
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

    /// The report of a run that never began, because of a failure before it.
    func unreached(because cause: TaskID, at time: Date) -> ConvergeReport {
        let records = ids.map { id in
            TaskRecord(id: id, outcome: .notReached(because: cause), changes: [], attempts: 0, start: time, end: time)
        }
        return ConvergeReport(tasks: records, started: time, ended: time)
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
