// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import NodeOS
public import SystemPackage

/// What a run intended and did, on the machine it changes, so that a loss of power leaves no doubt.
///
/// Every task that is about to change something is on the disk before it does. What was converged all along is not
/// written: the journal of a run with nothing to do has two lines.
public actor RunJournal: ConvergeJournal {
    /// Where it lies, readable by root only.
    public static let path: FilePath = "/var/lib/kopslite/journal.jsonl"

    private let node: any NodeWriter
    private let now: @Sendable () -> Date
    private let keys: [TaskID: String]
    private var changing: Set<TaskID> = []
    /// The tasks that found their object absent and were about to make it.
    private(set) var creating: Set<TaskID> = []

    /// Prepares a journal; nothing is written yet.
    ///
    /// - Parameters:
    ///   - node: The machine.
    ///   - keys: The ownership keys of the tasks.
    ///   - now: The wall clock.
    init(on node: any NodeWriter, keys: [TaskID: String], now: @escaping @Sendable () -> Date) {
        self.node = node
        self.keys = keys
        self.now = now
    }

    /// Puts a new journal in place of the last run's.
    func begin(list: String, pid: Int32, total: Int) async throws {
        let entry = JournalEntry.began(at: now(), list: list, pid: pid, total: total)
        if try await node.status(of: Self.path.removingLastComponent()) == nil {
            try await node.makeDirectory(
                Self.path.removingLastComponent(),
                attributes: FileAttributes(mode: 0o700, uid: 0, gid: 0)
            )
        }
        try await node.write(
            try entry.encoded(),
            to: Self.path,
            attributes: FileAttributes(mode: 0o600, uid: 0, gid: 0)
        )
    }

    /// See ``ConvergeJournal/intend(_:_:creates:)``.
    public func intend(_ id: TaskID, _ changes: [Change], creates: Bool) async throws {
        changing.insert(id)
        if creates { creating.insert(id) }
        let entry = JournalEntry.intended(
            at: now(),
            task: id.name,
            changes: changes.map(\.description),
            creates: creates ? keys[id] : nil
        )
        try await node.append(try entry.encoded(), to: Self.path)
    }

    /// See ``ConvergeJournal/ended(_:)``.
    public func ended(_ record: TaskRecord) async {
        let entry: JournalEntry
        if let failure = record.failure {
            entry = .failed(at: now(), task: record.id.name, failure: FailureJSON(failure))
        } else if changing.contains(record.id) {
            entry = .done(at: now(), task: record.id.name)
        } else {
            return
        }
        // Nothing depends on this line: without it, the next run looks at the task again, as it does in any case.
        guard let bytes = try? entry.encoded() else { return }
        try? await node.append(bytes, to: Self.path)
    }

    /// Closes the journal.
    func finish(failed: Bool, summary: String) async throws {
        let entry = JournalEntry.finished(at: now(), outcome: failed ? "failed" : "converged", summary: summary)
        try await node.append(try entry.encoded(), to: Self.path)
    }
}
