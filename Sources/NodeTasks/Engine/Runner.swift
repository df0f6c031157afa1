// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import NodeOS

extension TaskGraph {
    /// Runs single tasks and batches of mergeable ones.
    struct Runner: Sendable {
        let graph: TaskGraph
        let writer: Writer
        let reader: Reader
        let options: ConvergeOptions
        let observer: (any ConvergeObserver)?
        let journal: (any ConvergeJournal)?
        let approved: Approval?
        let seeds: [UInt64]

        /// Runs one task, or several of one kind as one effect; when that effect cannot be had, one after the other, so
        /// that each answers for itself.
        func run(_ places: [Int]) async -> [(place: Int, report: TaskRecord)] {
            guard places.count > 1 else { return await apart(places, options.retry) }
            switch await runTogether(places) {
            case .ended(let reports): return reports
            case .refused: return await apart(places, options.retry)
            case .givenUp:
                // They have had their time together; what one of them spoiled for the others gets two tries of its own.
                var brief = options.retry
                brief.attempts = min(2, brief.attempts)
                return await apart(places, brief)
            }
        }

        /// How an effect for several tasks ended.
        private enum Together {
            case ended([(place: Int, report: TaskRecord)])
            /// It cannot be had for all of them.
            case refused
            /// It was tried for as long as may be.
            case givenUp
        }

        private func apart(_ places: [Int], _ policy: RetryPolicy) async -> [(place: Int, report: TaskRecord)] {
            var reports: [(place: Int, report: TaskRecord)] = []
            for place in places { reports.append((place, await run(place, policy))) }
            return reports
        }

        private func run(_ place: Int, _ policy: RetryPolicy) async -> TaskRecord {
            let record = Attempted(start: options.now())
            var retrying = retrying(place, policy)
            do throws(Failure) {
                try await retrying.run { try await attempt(graph.tasks[place], at: place, record) }
                return await report(place, nil, record, retrying.attempts)
            } catch {
                return await report(place, error, record, retrying.attempts)
            }
        }

        private func runTogether(_ places: [Int]) async -> Together {
            let records = places.map { _ in Attempted(start: options.now()) }
            var retrying = retrying(places[0], options.retry)
            var failure: Failure?
            do throws(Failure) {
                try await retrying.run { try await attemptTogether(graph.tasks[places[0]], places, records) }
            } catch {
                if error.kind == .permanent || error.code == Self.didNotConverge { return .refused }
                if error.kind == .transient { return .givenUp }
                failure = error
            }
            var reports: [(place: Int, report: TaskRecord)] = []
            for (place, record) in zip(places, records) {
                // A task without changes was converged before the effect the others wait for.
                let own = await record.changes.isEmpty ? nil : failure
                reports.append((place, await report(place, own, record, retrying.attempts)))
            }
            return .ended(reports)
        }

        private func retrying(_ place: Int, _ policy: RetryPolicy) -> Retrying {
            let id = graph.tasks[place].id
            let observer = observer
            return Retrying(policy: policy, clock: options.clock, seed: seeds[place]) { failure in
                await observer?.taskWaiting(id, because: failure)
            }
        }

        private func report(_ place: Int, _ failure: Failure?, _ record: Attempted, _ attempts: Int) async -> TaskRecord
        {
            let changes = await record.changes
            let outcome: TaskRecord.Outcome = failure.map { .failed($0) } ?? (changes.isEmpty ? .converged : .changed)
            return TaskRecord(
                id: graph.tasks[place].id,
                outcome: outcome,
                changes: changes,
                attempts: attempts,
                start: record.start,
                end: options.now()
            )
        }

        static var didNotConverge: String { "did-not-converge" }
    }
}

/// What is known of a task that runs.
actor Attempted {
    let start: Date
    private(set) var changes: [Change] = []

    init(start: Date) { self.start = start }

    /// Adds the lines that a later attempt planned anew.
    func add(_ planned: [Change]) {
        for change in planned where !changes.contains(change) { changes.append(change) }
    }
}

extension TaskGraph.Runner {
    private func attempt<Kind: ConvergentTask<Reader, Writer>>(
        _ task: Kind,
        at place: Int,
        _ record: Attempted
    ) async throws {
        let found = try await task.find(on: reader)
        let steps = try task.plan(from: found)
        guard !steps.isEmpty else { return }
        try await announce(steps.flatMap(\.changes), of: place, creates: found == nil, record)
        for step in steps {
            try Task.checkCancellation()
            try await task.apply(step, on: writer)
        }
        try await verify(task)
    }

    private func attemptTogether<Kind: ConvergentTask<Reader, Writer>>(
        _ first: Kind,
        _ places: [Int],
        _ records: [Attempted]
    ) async throws {
        let tasks = places.compactMap { graph.tasks[$0] as? Kind }
        var all: [Kind.Step] = []
        for ((task, place), record) in zip(zip(tasks, places), records) {
            let found = try await task.find(on: reader)
            let steps = try task.plan(from: found)
            guard !steps.isEmpty else { continue }
            try await announce(steps.flatMap(\.changes), of: place, creates: found == nil, record)
            all += steps
        }
        guard !all.isEmpty else { return }
        for step in Kind.merge(all) ?? all {
            try Task.checkCancellation()
            try await first.apply(step, on: writer)
        }
        for task in tasks { try await verify(task) }
    }

    /// Makes known what a task is about to change: to whoever approved it, to the journal, to those that follow it.
    private func announce(_ changes: [Change], of place: Int, creates: Bool, _ record: Attempted) async throws {
        let id = graph.tasks[place].id
        try approved?.check(changes, of: id)
        await record.add(changes)
        try await journal?.intend(id, changes, creates: creates)
        for follower in graph.followers[place] {
            try await note(id, graph.tasks[follower])
        }
    }

    private func note<Kind: ConvergentTask<Reader, Writer>>(_ id: TaskID, _ follower: Kind) async throws {
        try await follower.noteChange(of: id, on: writer)
    }

    private func verify<Kind: ConvergentTask<Reader, Writer>>(_ task: Kind) async throws {
        let rest = try task.plan(from: await task.find(on: reader)).flatMap(\.changes)
        guard !rest.isEmpty else { return }
        let lines = rest.map(\.description).joined(separator: "; ")
        throw Failure(
            .transient,
            code: Self.didNotConverge,
            "\(task.id) was applied and is still not as declared: \(lines)",
            hint: "something else may change it back; see what owns it"
        )
    }
}
