// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
public import NodeOS

/// How one task of a run ended.
public struct TaskRecord: Sendable {
    /// The ends a task can come to.
    public enum Outcome: Sendable {
        /// It was as declared.
        case converged
        /// It was changed and is as declared now.
        case changed
        /// It is not as declared.
        case failed(Failure)
        /// It was not looked at, because this task failed before.
        case notReached(because: TaskID)
    }

    /// The task.
    public let id: TaskID
    /// How it ended.
    public internal(set) var outcome: Outcome
    /// What was changed, or was about to be when it failed.
    public let changes: [Change]
    /// How many times it was attempted; 0 when not reached.
    public let attempts: Int
    /// When it began, or when it became known that it will not be reached.
    public let start: Date
    /// When it ended.
    public let end: Date

    /// Whether it changed the target and is as declared now.
    public var changed: Bool {
        if case .changed = outcome { true } else { false }
    }

    /// Whether it is as declared now.
    public var isAsDeclared: Bool {
        switch outcome {
        case .converged, .changed: true
        case .failed, .notReached: false
        }
    }

    /// The failure, when it failed.
    public var failure: Failure? {
        if case .failed(let failure) = outcome { failure } else { nil }
    }
}

/// How a run ended: every task in the graph's order.
public struct ConvergeReport: Sendable {
    /// One report for each task.
    public let tasks: [TaskRecord]
    /// When the run began.
    public let started: Date
    /// When it ended.
    public let ended: Date

    /// Whether a task failed, so that not everything is as declared.
    public var failed: Bool { !rootFailures.isEmpty }
    /// How many tasks changed the target.
    public var changedCount: Int { tasks.count { $0.changed } }

    /// The tasks that failed, without those that were not reached because of them.
    public var rootFailures: [TaskRecord] { tasks.filter { $0.failure != nil } }

    /// This report and that of a run that came after it, as one.
    func followed(by next: ConvergeReport) -> ConvergeReport {
        ConvergeReport(tasks: tasks + next.tasks, started: started, ended: next.ended)
    }

    /// The report for people: what changed, what failed and why, and a line of totals.
    public var text: String { tasks.map(\.text).joined() + summary + "\n" }

    /// The line of totals, such as `61 tasks: 58 converged, 2 changed, 1 failed`.
    public var summary: String {
        let names = ["converged", "changed", "failed", "not reached"]
        let counted = names.compactMap { name in
            let count = tasks.count { $0.outcomeName == name }
            return count > 0 || name == "converged" ? "\(count) \(name)" : nil
        }
        return "\(Count.of(tasks.count, "task")): " + counted.joined(separator: ", ")
    }

    /// The report for programs: one JSON document with sorted names.
    ///
    /// - Throws: `EncodingError`, which no report is known to cause.
    public func json() throws -> String { try JSONText.of(ReportJSON(report: self)) }
}

extension TaskRecord {
    var outcomeName: String {
        switch outcome {
        case .converged: "converged"
        case .changed: "changed"
        case .failed: "failed"
        case .notReached: "not reached"
        }
    }

    fileprivate var text: String {
        var lines: [String]
        switch outcome {
        case .converged: return ""
        case .changed: lines = ["* \(id)"] + changes.map { "    \($0)" }
        case .failed(let failure): lines = ["! \(id)"] + failure.lines.map { "    \($0)" }
        case .notReached(let cause): lines = ["? \(id)", "    not reached, because \(cause) failed"]
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// The shape of ``ConvergeReport/json``.
private struct ReportJSON: Encodable {
    struct Task: Encodable {
        var id: String
        var outcome: String
        var changes: [ChangeJSON]
        var attempts: Int
        var started: Date
        var ended: Date
        var failure: FailureJSON?
        var because: String?
    }

    var outcome: String
    var started: Date
    var ended: Date
    var tasks: [Task]

    init(report: ConvergeReport) {
        outcome = report.failed ? "failed" : "converged"
        started = report.started
        ended = report.ended
        tasks = report.tasks.map { task in
            var because: String?
            if case .notReached(let cause) = task.outcome { because = cause.name }
            return Task(
                id: task.id.name,
                outcome: task.outcomeName,
                changes: task.changes.map(ChangeJSON.init),
                attempts: task.attempts,
                started: task.start,
                ended: task.end,
                failure: task.failure.map(FailureJSON.init),
                because: because
            )
        }
    }
}
