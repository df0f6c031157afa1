// SPDX-License-Identifier: Apache-2.0
import Clouds
import Foundation

/// What an update would change, as a person reads it.
struct UpdatePlan: Equatable {
    /// One thing that changes.
    struct Entry: Equatable {
        enum Action: String {
            case create
            case modify
            case delete
        }

        var action: Action
        /// Such as `keyset/etcd-clients-ca` or `machine/nodes-1`.
        var name: String
        /// Lines below it.
        var details: [String] = []
    }

    var entries: [Entry]

    var isEmpty: Bool { entries.isEmpty }

    /// The report, in kops' three parts, ending with what to do.
    var text: String {
        guard !isEmpty else { return "No changes need to be applied" }
        let parts: [(Entry.Action, String)] = [
            (.create, "Will create resources:"), (.modify, "Will modify resources:"), (.delete, "Will delete items:"),
        ]
        return parts.compactMap { action, title in
            let lines = entries.filter { $0.action == action }.sorted { $0.name < $1.name }.flatMap { entry in
                ["  \(entry.name)"] + entry.details.map { "    \($0)" }
            }
            return lines.isEmpty ? nil : ([title] + lines).joined(separator: "\n")
        }.joined(separator: "\n\n")
    }

    /// The lines that differ between two texts, `-` before `+`, with nothing around them.
    static func difference(from old: String, to new: String) -> [String] {
        let before = old.split(separator: "\n", omittingEmptySubsequences: false)
        let after = new.split(separator: "\n", omittingEmptySubsequences: false)
        return after.difference(from: before).sorted { offset(of: $0) < offset(of: $1) }.map { change in
            switch change {
            case .insert(_, let line, _): "+ \(line.trimmingCharacters(in: .whitespaces))"
            case .remove(_, let line, _): "- \(line.trimmingCharacters(in: .whitespaces))"
            }
        }
    }

    private static func offset(of change: CollectionDifference<Substring>.Change) -> (Int, Int) {
        switch change {
        case .remove(let offset, _, _): (offset, 0)
        case .insert(let offset, _, _): (offset, 1)
        }
    }
}

extension UpdatePlan.Entry {
    /// A cloud's change.
    init(_ change: CloudChange) {
        let action: Action =
            switch change.action {
            case .create: .create
            case .delete: .delete
            case .modify, .start: .modify
            }
        let details = change.action == .start ? ["state  stopped -> running"] + change.details : change.details
        self.init(action: action, name: "\(change.kind)/\(change.name)", details: details)
    }
}
