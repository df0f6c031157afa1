// SPDX-License-Identifier: Apache-2.0
internal import NodeOS

extension TaskGraph {
    /// Finds and plans every task against a target that cannot be changed.
    ///
    /// A task below something that is still to be made (a file system not yet mounted) is planned as absent, and one
    /// that follows a task with changes is planned as it will be found then. A task that cannot be planned is an entry
    /// with a failure, so that one conflict does not hide the rest.
    ///
    /// - Throws: `CancellationError`.
    public func plan(on reader: Reader) async throws -> Plan {
        var entries: [Plan.Entry] = []
        entries.reserveCapacity(tasks.count)
        for (place, task) in tasks.enumerated() {
            try Task.checkCancellation()
            let hidden = carriers[place].contains { entries[$0].action == .create }
            let changed = followed[place].filter { !entries[$0].changes.isEmpty }.map { entries[$0].id }
            entries.append(await Self.entry(task, on: reader, hidden: hidden, changed: changed))
        }
        return Plan(entries: entries)
    }

    private static func entry<Kind: ConvergentTask<Reader, Writer>>(
        _ task: Kind,
        on reader: Reader,
        hidden: Bool,
        changed: [TaskID]
    ) async -> Plan.Entry {
        do {
            var found = hidden ? nil : try await task.find(on: reader)
            if !changed.isEmpty { found = task.foreseen(found, afterChangesOf: changed) }
            let steps = try task.plan(from: found)
            return Plan.Entry(
                id: task.id,
                action: Plan.Action(of: steps.flatMap(\.changes), absent: found == nil),
                changes: steps.flatMap(\.changes),
                failure: nil
            )
        } catch {
            return Plan.Entry(id: task.id, action: .fail, changes: [], failure: Failure(wrapping: error))
        }
    }
}

extension Plan.Action {
    init(of changes: [Change], absent: Bool) {
        if changes.isEmpty {
            self = .none
        } else if absent {
            self = .create
        } else {
            self = changes.allSatisfy { $0.to == nil } ? .remove : .change
        }
    }
}

extension Failure {
    /// Any error as a failure; one that says nothing of itself is permanent, since nothing shows that time helps.
    init(wrapping error: any Error) {
        if let failure = error as? Failure {
            self = failure
        } else if error is CancellationError {
            self.init(.transient, code: "cancelled", "the run was cancelled")
        } else {
            self.init(.permanent, code: "unexpected", "the attempt failed", cause: error)
        }
    }
}
