// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
public import NodeOS

/// What a run would change, found without changing anything.
public struct Plan: Sendable {
    /// What is to happen to one task's object.
    public enum Action: String, Sendable, Codable {
        /// It is as declared.
        case none
        case create
        case change
        case remove
        /// Only a person can decide; ``Entry/failure`` says what.
        case fail
    }

    /// One task of a plan.
    public struct Entry: Sendable {
        /// The task.
        public let id: TaskID
        /// What is to happen.
        public let action: Action
        /// The lines, in the order in which they will be applied.
        public let changes: [Change]
        /// Why it cannot be planned; `nil` unless the action is ``Action/fail``.
        public let failure: Failure?
    }

    /// Every task, converged or not, in the graph's order.
    public let entries: [Entry]

    /// Whether everything is as declared.
    public var isEmpty: Bool { entries.allSatisfy { $0.action == .none } }
    /// The tasks that cannot be planned.
    public var failures: [Entry] { entries.filter { $0.failure != nil } }

    /// The plan for people: the tasks that are not converged with their changes, a line of totals, and
    /// the digest of what is to be approved.
    public var text: String {
        entries.map(\.text).joined() + summary + (isEmpty ? "\n" : "\ndigest \(digest)\n")
    }

    /// The line of totals, such as `61 tasks: 58 converged, 1 to create, 2 to change`.
    public var summary: String {
        let parts = [
            (Action.none, "converged"), (.create, "to create"), (.change, "to change"), (.remove, "to remove"),
            (.fail, "impossible"),
        ]
        let counted = parts.compactMap { action, words in
            let count = entries.count { $0.action == action }
            return count > 0 || action == .none ? "\(count) \(words)" : nil
        }
        return "\(Count.of(entries.count, "task")): " + counted.joined(separator: ", ")
    }

    /// The plan for programs: one JSON document with sorted names, the same bytes for the same plan.
    ///
    /// - Throws: `EncodingError`, which no plan is known to cause.
    public func json() throws -> String { try JSONText.of(PlanJSON(plan: self)) }

    /// The SHA-256 as 64 hex digits of every change and failure in this plan: what someone approves.
    public var digest: String {
        var parts: [String] = []
        for entry in entries where entry.action != .none {
            parts += [entry.id.name, entry.action.rawValue]
            for change in entry.changes { parts += [change.field, change.from?.full ?? "", change.to?.full ?? ""] }
            if let failure = entry.failure { parts += [failure.code, failure.chain] }
        }
        // Each part by its length, so that no two plans read the same.
        return SHA256Hex.of([UInt8](parts.map { "\($0.utf8.count):\($0)" }.joined().utf8))
    }
}

extension Plan.Entry {
    fileprivate var text: String {
        let sign =
            switch action {
            case .none: ""
            case .create: "+"
            case .change: "~"
            case .remove: "-"
            case .fail: "!"
            }
        guard !sign.isEmpty else { return "" }
        var lines = ["\(sign) \(id)"] + changes.flatMap(\.lines).map { "    \($0)" }
        if let failure { lines += failure.lines.map { "    \($0)" } }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Failure {
    /// The failure as a plan or a report prints it.
    var lines: [String] {
        ["! \(code): \(chain)"] + (hint.map { ["  hint: \($0)"] } ?? [])
    }
}

/// JSON with sorted names.
enum JSONText {
    static func of(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }
}
