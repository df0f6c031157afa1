// SPDX-License-Identifier: Apache-2.0
import KopsModel

extension DriftView {
    /// The view as `get` shows it.
    func print(format: OutputFormat, to console: Console) throws {
        switch format {
        case .table: console.output(text)
        case .yaml: console.output(try YamlText.document(value))
        case .json: console.output(String(decoding: try value.encoded(), as: UTF8.self))
        }
    }

    private var text: String {
        var parts: [String] = []
        if !groups.isEmpty {
            let rows = groups.map { group in
                [
                    group.label, String(group.nodes.count), String(group.report.differenceCount),
                    group.nodes.joined(separator: ","),
                ]
            }
            parts.append(Table(["DRIFT", "NODES", "TASKS", "NAMES"], rows: rows, isSorted: false).text)
        }
        parts += groups.filter { !$0.isAsDeclared }.map(\.details)
        if !unknown.isEmpty {
            let rows = unknown.map { [$0.node, $0.reason] }
            parts.append("NOT KNOWN\n" + Table(["NAME", "REASON"], rows: rows, isSorted: false).text)
        }
        return parts.isEmpty ? "no machines are declared\n" : parts.joined(separator: "\n")
    }

    private var value: JSONValue {
        [
            "groups": .array(groups.map(\.value)),
            "unknown": .array(unknown.map { ["name": .string($0.node), "reason": .string($0.reason)] }),
        ]
    }
}

extension DriftView.Group {
    /// Who differs in what, as a plan prints it.
    fileprivate var details: String {
        var lines = ["DRIFT \(label): \(nodes.joined(separator: ", "))"] + report.differences.flatMap(\.lines)
        let rest = report.differenceCount - report.differences.count
        if rest > 0 { lines.append("and \(rest) more") }
        return lines.map { Self.plain($0) + "\n" }.joined()
    }

    /// A line stays one line, whatever an agent has written into it.
    private static func plain(_ line: String) -> String {
        String(line.map { $0.isNewline || $0.asciiValue.map { $0 < 0x20 || $0 == 0x7F } == true ? " " : $0 })
    }

    fileprivate var value: JSONValue {
        [
            "asDeclared": .bool(isAsDeclared), "digest": .string(report.digest),
            "nodes": .array(nodes.map(JSONValue.string)), "differenceCount": .int(report.differenceCount),
            "truncated": .bool(report.truncated), "differences": .array(report.differences.map(\.value)),
        ]
    }
}

extension DriftReport.Difference {
    fileprivate var lines: [String] {
        let sign =
            switch action {
            case .create: "+"
            case .change: "~"
            case .remove: "-"
            case .fail: "!"
            }
        var lines = ["\(sign) \(id)"] + changes.map { "    \($0)" }
        if let failure {
            lines.append("    ! \(failure.code): \(failure.message)")
            if !failure.hint.isEmpty { lines.append("      hint: \(failure.hint)") }
        }
        return lines
    }

    fileprivate var value: JSONValue {
        var value: JSONValue = [
            "id": .string(id), "action": .string(action.rawValue), "changes": .array(changes.map(JSONValue.string)),
        ]
        if let failure {
            value["failure"] = [
                "code": .string(failure.code), "message": .string(failure.message), "hint": .string(failure.hint),
            ]
        }
        return value
    }
}
