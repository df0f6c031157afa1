// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
public import NodeOS

/// The last run on a machine, as its journal tells it.
public struct RunHistory: Sendable {
    /// How far the run came.
    public enum Outcome: String, Sendable {
        case converged
        case failed
        /// Killed, or the machine lost power.
        case interrupted
        case running
    }

    let entries: [JournalEntry]
    private let isLive: Bool

    /// Reads the journal; `nil` when nothing ever ran here.
    ///
    /// - Parameters:
    ///   - node: The machine.
    ///   - isLive: Whether a process with this number is at work on this machine now.
    /// - Throws: ``Failure`` when the journal is there and cannot be read.
    public init?(on node: any NodeReader, isLive: (Int32) -> Bool) async throws {
        guard try await node.status(of: RunJournal.path)?.kind == .regular else { return nil }
        entries = JournalEntry.parse(try await node.read(RunJournal.path))
        guard case .began(_, _, let pid, _)? = entries.first else { return nil }
        self.isLive = isLive(pid)
    }

    /// How far it came.
    public var outcome: Outcome {
        if case .finished(_, let outcome, _)? = entries.last { return Outcome(rawValue: outcome) ?? .failed }
        return isLive ? .running : .interrupted
    }

    /// When the last line was written.
    public var updated: Date {
        switch entries.last {
        case .began(let at, _, _, _), .intended(let at, _, _, _), .done(let at, _), .failed(let at, _, _),
            .finished(let at, _, _):
            at
        case nil: .distantPast
        }
    }

    /// The tasks that were about to change something when the run ended without a word, with their changes.
    var open: [(task: String, changes: [String])] {
        var open: [(task: String, changes: [String])] = []
        for entry in entries {
            switch entry {
            case .intended(_, let task, let changes, _):
                open.removeAll { $0.task == task }
                open.append((task, changes))
            case .done(_, let task), .failed(_, let task, _): open.removeAll { $0.task == task }
            case .began, .finished: continue
            }
        }
        return open
    }

    /// The ownership keys of what the run was about to create, and the list they belong to, unless it came to its end
    /// and has put them on record.
    var unrecorded: (list: String, keys: [String])? {
        if case .finished? = entries.last { return nil }
        guard case .began(_, let list, _, _)? = entries.first else { return nil }
        let keys = entries.compactMap { entry in
            if case .intended(_, _, _, let key) = entry { key } else { nil }
        }
        return (list, keys)
    }

    /// The run for people.
    public var text: String {
        guard case .began(let at, let list, let pid, let total)? = entries.first else { return "" }
        var lines = ["last run: \(list), \(Count.of(total, "task")), began \(at.formatted(.iso8601)) as process \(pid)"]
        switch outcome {
        case .running: lines.append("it is still running")
        case .interrupted: lines.append("it was interrupted \(Self.duration(from: at, to: updated)) after it began")
        case .converged, .failed:
            if case .finished(_, _, let summary)? = entries.last {
                lines.append("\(outcome.rawValue) after \(Self.duration(from: at, to: updated)): \(summary)")
            }
        }
        for case .failed(_, let task, let failure) in entries {
            lines += ["! \(task)", "    \(failure.code): \(failure.message)"]
            if let hint = failure.hint { lines.append("    hint: \(hint)") }
        }
        for (task, changes) in open where outcome == .interrupted || outcome == .running {
            lines.append(outcome == .running ? "* \(task), now" : "? \(task), was about to change")
            lines += changes.map { "    \($0)" }
        }
        if outcome == .interrupted { lines.append("hint: run nodeup apply again, it goes on from here") }
        return lines.joined(separator: "\n")
    }

    private static func duration(from start: Date, to end: Date) -> String {
        "\(Int(end.timeIntervalSince(start).rounded())) s"
    }
}
