// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel

/// Where the time of a cluster's start went: a bar for each machine, agent and span on one common scale.
struct Waterfall {
    /// A machine's reports, with the moment the cloud launched it.
    struct Machine {
        var name: String
        var launched: Date
        var reports: [AgentStatus]
        /// When the node became Ready; `nil` when unknown.
        var ready: Date?
    }

    let machines: [Machine]
    /// How many columns a bar may take.
    var width = 48
    /// Spans shorter than this are summed up in one row, in seconds.
    var threshold = 0.5

    /// The chart as text.
    func text() -> String {
        guard let origin = machines.map(\.launched).min(), let end = lastInstant, end > origin else {
            return "no machine has reported yet"
        }
        let total = end.timeIntervalSince(origin)
        var lines = [String(format: "0 s %@ %.1f s", String(repeating: " ", count: 46 + width - 12), total)]
        for machine in machines {
            lines.append(machine.name)
            lines += rows(of: machine).map { row(of: $0, origin: origin, total: total) }
        }
        return (lines + shares()).joined(separator: "\n")
    }

    private struct Row {
        var label: String
        var start: Date
        var end: Date
    }

    private var lastInstant: Date? {
        machines.flatMap { machine in
            machine.reports.flatMap { $0.spans.map(\.end) } + [machine.ready].compactMap(\.self)
        }.max()
    }

    private func rows(of machine: Machine) -> [Row] {
        var rows: [Row] = []
        if let first = machine.reports.map(\.started).min() {
            rows.append(Row(label: "boot, cloud-init", start: machine.launched, end: first))
        }
        for report in machine.reports.sorted(by: { $0.started < $1.started }) {
            rows += report.spans.filter { $0.end.timeIntervalSince($0.start) >= threshold }
                .map { Row(label: "\(report.agent) \($0.name)", start: $0.start, end: $0.end) }
        }
        if let ready = machine.ready {
            rows.append(Row(label: "launched until Ready", start: machine.launched, end: ready))
        }
        return rows
    }

    private func row(of row: Row, origin: Date, total: TimeInterval) -> String {
        let from = Int(row.start.timeIntervalSince(origin) / total * Double(width))
        let length = max(1, Int((row.end.timeIntervalSince(row.start) / total * Double(width)).rounded()))
        let bar =
            String(repeating: " ", count: min(max(from, 0), width - 1))
            + String(repeating: "█", count: min(length, width))
        let seconds = String(format: "%6.1f s", row.end.timeIntervalSince(row.start))
        return "  \(padded(row.label, to: 38)) \(seconds)  |\(padded(bar, to: width))|"
    }

    private func shares() -> [String] {
        machines.flatMap { machine in
            machine.reports.map { report in
                String(
                    format: "%@: %@'s own share %.1f s",
                    machine.name,
                    report.agent,
                    (report.spans.map(\.end).max() ?? report.updated).timeIntervalSince(report.started)
                )
            }
        }
    }

    private func padded(_ text: String, to count: Int) -> String {
        let cut = String(text.prefix(count))
        return cut + String(repeating: " ", count: count - cut.count)
    }
}
