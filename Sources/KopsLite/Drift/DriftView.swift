// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel

/// What `get drift` shows: the machines with one drift together, and those of which nothing is known now.
struct DriftView: Equatable {
    /// Machines that differ in the same from what they were told to be.
    struct Group: Equatable {
        /// The machines' names, sorted.
        var nodes: [String]
        /// The report of the first of them; the others' says the same.
        var report: DriftReport

        var isAsDeclared: Bool { report.isAsDeclared }
        /// The digest as it is shown.
        var label: String { isAsDeclared ? "as declared" : String(report.digest.prefix(12)) }
    }

    /// A machine of which nothing is known now, and why.
    struct Unknown: Equatable {
        var node: String
        var reason: String
    }

    /// A report that is older says nothing: a machine looks every half hour.
    static let patience: TimeInterval = 2 * 3600

    /// The group with most machines first.
    let groups: [Group]
    /// By name.
    let unknown: [Unknown]

    /// Groups what the machines report.
    ///
    /// - Parameters:
    ///   - declared: The machines that are declared; those that report without being so are shown as well.
    ///   - board: What they report.
    ///   - head: The generation in force; `nil` when none is.
    ///   - now: What the reports' age is measured against.
    init(declared: [String], board: DriftBoard, head: Int?, now: Date) {
        var unknown: [Unknown] = []
        var known: [String: [DriftReport]] = [:]
        for node in board.machines.union(declared).sorted() {
            if let reason = Self.doubt(of: node, board, head: head, now: now) {
                unknown.append(Unknown(node: node, reason: reason))
            } else if let report = board.reports[node] {
                known[report.isAsDeclared ? "" : report.digest, default: []].append(report)
            }
        }
        self.unknown = unknown
        groups = known.values.compactMap { reports in
            reports.first.map { Group(nodes: reports.map(\.instance), report: $0) }
        }.sorted(by: Self.comesFirst)
    }

    /// Whether a machine is known to differ.
    var hasDrift: Bool { groups.contains { !$0.isAsDeclared } }

    /// Why a machine's report does not count; `nil` when it does.
    private static func doubt(of node: String, _ board: DriftBoard, head: Int?, now: Date) -> String? {
        guard let report = board.reports[node] else {
            return board.damaged.contains(node) ? "its report cannot be read" : "no report"
        }
        if let head, report.generation < head {
            return "compared with generation \(report.generation), and \(head) is in force"
        }
        let age = now.timeIntervalSince(report.checked)
        guard age > patience else { return nil }
        return "last compared \(Int(age) / 3600) h \(Int(age) % 3600 / 60) min ago"
    }

    private static func comesFirst(_ left: Group, _ right: Group) -> Bool {
        if left.nodes.count != right.nodes.count { return left.nodes.count > right.nodes.count }
        if left.isAsDeclared != right.isAsDeclared { return left.isAsDeclared }
        return left.nodes.lexicographicallyPrecedes(right.nodes)
    }
}
