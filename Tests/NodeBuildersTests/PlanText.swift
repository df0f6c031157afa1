// SPDX-License-Identifier: Apache-2.0
import NodeOS
import PKI
import SystemPackage

@testable import NodeTasks

/// Tasks as text, in the order in which they run, with all that they put on a machine except secrets.
enum PlanText {
    static func render(_ graph: NodeTaskGraph) -> String {
        parts(graph).map { "\($0.id)\n" + $0.lines.map { $0.isEmpty ? "\n" : "    \($0)\n" }.joined() }
            .joined(separator: "\n")
    }

    /// What another graph has of its own, a line each below its task; tasks of one graph alone are named.
    static func difference(from old: NodeTaskGraph, to new: NodeTaskGraph) -> String {
        let before = Dictionary(uniqueKeysWithValues: parts(old).map { ($0.id, $0.lines) })
        let after = Set(parts(new).map(\.id))
        let gone = parts(old).filter { !after.contains($0.id) }.map { "- \($0.id)\n" }
        let changed = parts(new).compactMap { part -> String? in
            guard let lines = before[part.id] else { return "+ \(part.id)\n" }
            let changes = part.lines.difference(from: lines)
            guard !changes.isEmpty else { return nil }
            let texts = changes.map { change in
                switch change {
                case .remove(_, let line, _): "  - \(line)\n"
                case .insert(_, let line, _): "  + \(line)\n"
                }
            }
            return "\(part.id)\n" + texts.joined()
        }
        return (gone + changed).joined()
    }

    private static func parts(_ graph: NodeTaskGraph) -> [(id: TaskID, lines: [String])] {
        graph.tasks.map { task in
            let before = graph.dependencies(of: task.id)
            return (
                task.id,
                (before.isEmpty ? [] : ["after " + before.map(\.name).joined(separator: ", ")]) + describe(task)
            )
        }
    }

    private static func describe(_ task: any ConvergentTask<any NodeReader, any NodeWriter>) -> [String] {
        switch task {
        case let task as FileTask: ["\(shown(task.attributes)) \(task.path)"] + content(task)
        case let task as DirectoryTask: ["\(shown(task.attributes)) \(task.path)"]
        case let task as SymlinkTask: ["\(task.path) -> \(task.target)"]
        case let task as ArchiveTask:
            ["\(task.source) -> \(task.path)", "sha256 \(task.sha256)", "strip \(task.stripComponents)"]
        case let task as ImageTask: ["\(task.source) into \(task.runtime)", "sha256 \(task.sha256)"]
        case let task as PackageTask: [task.version ?? "any version"]
        case let task as KernelModuleTask: [task.name]
        case let task as SysctlTask: ["\(task.key) = \(task.value)"]
        case let task as HostsBlockTask: indented(task.lines.joined(separator: "\n"))
        case let task as CertificateTask: certificate(task)
        case let task as ServiceTask: service(task)
        default: ["UNKNOWN \(type(of: task))"]
        }
    }

    private static func content(_ task: FileTask) -> [String] {
        switch task.content {
        case .file(let source, let sha256): ["from \(source)", "sha256 \(sha256)"]
        case .bytes where task.isSecret: ["<secret>"]
        case .bytes(let bytes): indented(String(decoding: bytes, as: UTF8.self))
        }
    }

    private static func certificate(_ task: CertificateTask) -> [String] {
        let profile = task.profile
        let subject = ["CN=\(profile.commonName)"] + profile.organizations.map { "O=\($0)" }
        let days = profile.lifetime.components.seconds / 86400
        return [
            "\(task.certificate), \(shown(task.attributes)) \(task.key)",
            "subject \(subject.joined(separator: " ")), signed by \(task.signer), \(days) days",
            "for \(profile.usages.map(\.rawValue).joined(separator: ", "))",
        ] + (profile.dnsNames.isEmpty ? [] : ["names \(profile.dnsNames.joined(separator: ", "))"])
            + (profile.ipAddresses.isEmpty ? [] : ["addresses \(profile.ipAddresses.joined(separator: ", "))"])
    }

    private static func service(_ task: ServiceTask) -> [String] {
        let state =
            task.isTriggered
            ? ["started by another unit"]
            : [task.running ? "running" : "stopped", task.enabled ? "enabled" : "disabled"]
        let restarts =
            task.restartOn.isEmpty ? [] : ["restart on \(task.restartOn.map(\.name).joined(separator: ", "))"]
        let dropIns = task.dropIns.sorted { $0.key < $1.key }.flatMap { ["drop-in \($0.key)"] + indented($0.value) }
        return [state.joined(separator: ", ")] + restarts + (task.definition.map(indented) ?? []) + dropIns
    }

    private static func shown(_ attributes: Attributes) -> String {
        "\(attributes.mode.octal) \(attributes.owner ?? "-"):\(attributes.group ?? "-")"
    }

    private static func indented(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "|" : "| \($0)" }
        if text.hasSuffix("\n") { lines.removeLast() } else { lines.append("| (no newline at the end)") }
        return lines
    }
}
