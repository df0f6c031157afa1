// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel

/// What `watch` shows: one row for each machine that is declared or has reported.
struct WatchView: Equatable {
    struct Row: Equatable {
        var name: String
        var role: String
        var phase: String
        var tasks = "-"
        /// How long ago the machine last reported.
        var age = "-"
        var lastError = "-"
        var isConverged = false

        var cells: [String] { [name, role, phase, tasks, age, lastError] }

        /// Whether the row tells what another one does not; time alone passes always.
        func isNews(after other: Row?) -> Bool {
            guard var other else { return true }
            other.age = age
            return self != other
        }
    }

    static let columns = ["NAME", "ROLE", "PHASE", "TASKS", "AGE", "LAST ERROR"]
    let rows: [Row]

    init(cluster: ResolvedCluster, board: StatusBoard, now: Date) {
        let machines = cluster.machines
        let declared = Set(machines.map(\.name))
        let others = Set(board.reports.map(\.instance)).subtracting(declared)
        rows =
            (machines.map { machine in
                var row = Self.row(machine.name, machine.role, board, now)
                if machine.role == .controlPlane { row.doubt(board.report(of: "protokube", on: machine.name), now) }
                return row
            }
            + others.map { name in Self.row(name, board.decisive(of: name)?.role, board, now) })
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

    private static func row(_ name: String, _ role: InstanceRole?, _ board: StatusBoard, _ now: Date) -> Row {
        var row = Row(name: name, role: role?.rawValue ?? "-", phase: "silent")
        guard let report = board.decisive(of: name) else { return row }
        row.phase = report.phase.rawValue
        row.isConverged = report.phase == .converged
        if report.tasksTotal > 0 { row.tasks = "\(report.tasksDone)/\(report.tasksTotal)" }
        if let age = board.age(of: name, at: now) { row.age = Age.text(age) }
        if let failure = report.failure {
            row.lastError = "[\(failure.code)] \(failure.message)" + (failure.hint.isEmpty ? "" : "; \(failure.hint)")
        }
        return row
    }
}

extension WatchView.Row {
    /// Takes a control-plane machine for converged only while its protokube says so: nodeup's word is of when it ran.
    fileprivate mutating func doubt(_ report: AgentStatus?, _ now: Date) {
        guard isConverged else { return }
        if let report {
            guard report.isStale(at: now) else { return }
            phase = "silent"
            lastError = "protokube no longer reports; see systemctl status protokube there"
        } else {
            phase = AgentPhase.waiting.rawValue
            lastError = "protokube has not reported yet"
        }
        isConverged = false
    }
}
