// SPDX-License-Identifier: Apache-2.0
internal import NodeOS

extension ListRun {
    /// What is to be removed, and the ownership key behind each task.
    struct Pruning: Sendable {
        let graph: NodeTaskGraph
        let keys: [TaskID: String]
    }

    /// The record with what the last run intended to create and did not live to put on record.
    ///
    /// An intention alone is not yet an object: what is not there was not made.
    func recovered(_ record: OwnershipRecord) async throws -> OwnershipRecord {
        guard let unrecorded = try await RunHistory(on: node, isLive: { _ in false })?.unrecorded,
            unrecorded.list == list
        else { return record }
        var record = record
        for key in unrecorded.keys where try await isThere(key) {
            record.marks[key] = OwnershipRecord.Mark(isCreated: true, isDeclared: true)
        }
        return record
    }

    private func isThere(_ key: String) async throws -> Bool {
        guard let removal = try Removal.task(key) else { return false }
        return try await !NodeTaskGraph([removal]).plan(on: node).isEmpty
    }

    /// The removal of what this list created and no longer has, except what another list declares.
    func pruning(_ record: OwnershipRecord) async throws -> Pruning {
        let others = try await OwnershipRecord.others(than: list, on: node)
        let orphans = record.orphans(declared: declared).filter { key in
            !others.contains { $0.marks[key]?.isDeclared == true }
        }
        var keys: [TaskID: String] = [:]
        var removals: [any NodeTask] = []
        for task in try Removal.tasks(orphans, sparing: tasks) {
            removals.append(task.task)
            keys[task.task.id] = task.key
        }
        return Pruning(graph: try NodeTaskGraph(removals), keys: keys)
    }

    /// What the run created: what it intended to, and did unless the task failed on the way.
    func created(_ journal: RunJournal, _ report: ConvergeReport) async throws -> Set<String> {
        let failed = Set(report.rootFailures.map(\.id))
        var created: Set<String> = []
        for id in await journal.creating {
            guard let key = keys[id] else { continue }
            if failed.contains(id), try await !isThere(key) { continue }
            created.insert(key)
        }
        return created
    }

    /// Removes, once all that is declared is there; otherwise what is to go may still be needed.
    func prune(
        _ pruning: Pruning,
        unless report: ConvergeReport,
        _ options: ConvergeOptions,
        _ observer: (any ConvergeObserver)?,
        _ journal: RunJournal
    ) async -> ConvergeReport {
        guard let cause = report.rootFailures.first else {
            return await pruning.graph.converge(
                on: node,
                reader: node,
                options: options,
                observer: observer,
                journal: journal
            )
        }
        return pruning.graph.unreached(because: cause.id, at: options.now())
    }
}
