// SPDX-License-Identifier: Apache-2.0
import KopsModel

/// What `watch` shows: one row for each machine that is declared or has reported.
struct WatchView: Equatable {
    struct Row: Equatable {
        var name: String
        var role: String
        var phase: String
        var tasks: String
        var lastError: String
        var isConverged: Bool

        var cells: [String] { [name, role, phase, tasks, lastError] }
    }

    static let columns = ["NAME", "ROLE", "PHASE", "TASKS", "LAST ERROR"]
    let rows: [Row]

    init(cluster: ResolvedCluster, board: StatusBoard) {
        let machines = cluster.machines
        let declared = Set(machines.map(\.name))
        let others = Set(board.reports.map(\.instance)).subtracting(declared)
        rows =
            (machines.map { machine in Self.row(machine.name, machine.role, board) }
            + others.map { name in Self.row(name, board.decisive(of: name)?.role, board) })
            .sorted { $0.name < $1.name }
    }

    /// Whether every machine has converged; a cluster without machines has not.
    var isConverged: Bool { !rows.isEmpty && rows.allSatisfy(\.isConverged) }

    /// The machines that have not converged, for the last message.
    var unfinished: String {
        rows.filter { !$0.isConverged }.map { row in
            row.name + (row.lastError == "-" ? " (\(row.phase))" : " (\(row.phase): \(row.lastError))")
        }.joined(separator: ", ")
    }

    /// The whole table, for a terminal.
    var table: String { Table(Self.columns, rows: rows.map(\.cells), isSorted: false).text }

    private static func row(_ name: String, _ role: InstanceRole?, _ board: StatusBoard) -> Row {
        let roleName = role?.rawValue ?? "-"
        guard let report = board.decisive(of: name) else {
            return Row(
                name: name,
                role: roleName,
                phase: "silent",
                tasks: "-",
                lastError: "-",
                isConverged: false
            )
        }
        let tasks = report.tasksTotal > 0 ? "\(report.tasksDone)/\(report.tasksTotal)" : "-"
        let failure = report.failure.map { failure in
            "[\(failure.code)] \(failure.message)" + (failure.hint.isEmpty ? "" : "; \(failure.hint)")
        }
        return Row(
            name: name,
            role: roleName,
            phase: report.phase.rawValue,
            tasks: tasks,
            lastError: failure ?? "-",
            isConverged: report.phase == .converged
        )
    }
}
