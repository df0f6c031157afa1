// SPDX-License-Identifier: Apache-2.0
import KopsModel

/// What `validate cluster` found.
struct ValidationReport: Sendable, Equatable {
    /// One thing that is not as it should be.
    struct Problem: Sendable, Equatable {
        /// What it is about, such as `Machine`.
        var kind: String
        var name: String
        var message: String
    }

    /// One node that has joined.
    struct NodeRow: Sendable, Equatable {
        var name: String
        var zone: String
        var role: String
        var hostname: String
        var isReady: Bool
    }

    /// How well one etcd cluster is backed up.
    struct BackupRow: Sendable, Equatable {
        var etcdCluster: String
        var text: String
    }

    var problems: [Problem] = []
    /// What is not as it should be, and keeps the cluster from nothing.
    var warnings: [Problem] = []
    var nodes: [NodeRow] = []
    var backups: [BackupRow] = []

    var isValid: Bool { problems.isEmpty }
}

extension ValidationReport {
    /// The report as kops shows it.
    func print(for cluster: ResolvedCluster, format: OutputFormat, to console: Console) throws {
        switch format {
        case .table: printTable(for: cluster, to: console)
        case .yaml: console.output(try YamlText.document(value))
        case .json: console.output(String(decoding: try value.encoded(), as: UTF8.self))
        }
    }

    private func printTable(for cluster: ResolvedCluster, to console: Console) {
        console.line("INSTANCE GROUPS")
        let groups = cluster.groups.map { group in
            let spec = group.spec
            return [
                group.metadata.name, spec.role.description, spec.machineType ?? "",
                spec.minSize.map(String.init) ?? "-", spec.maxSize.map(String.init) ?? "-",
                spec.subnets.joined(separator: ","),
            ]
        }
        console.output(Table(["NAME", "ROLE", "MACHINETYPE", "MIN", "MAX", "SUBNETS"], rows: groups).text)
        console.line()
        console.line("NODE STATUS")
        let rows = nodes.map { [$0.name, $0.role, $0.isReady ? "True" : "False"] }
        console.output(Table(["NAME", "ROLE", "READY"], rows: rows).text)
        console.line()
        if !backups.isEmpty {
            console.line("ETCD BACKUPS")
            console.output(Table(["NAME", "BACKUPS"], rows: backups.map { [$0.etcdCluster, $0.text] }).text)
            console.line()
        }
        if !warnings.isEmpty {
            console.line("WARNINGS")
            console.output(Self.table(warnings))
            console.line()
        }
        guard !isValid else { return console.line("Your cluster \(cluster.name) is ready") }
        console.line("VALIDATION ERRORS")
        console.output(Self.table(problems))
        console.line()
        console.line("Validation Failed")
    }

    private static func table(_ problems: [Problem]) -> String {
        Table(["KIND", "NAME", "MESSAGE"], rows: problems.map { [$0.kind, $0.name, $0.message] }).text
    }

    private var value: JSONValue {
        let nodes = nodes.map { node in
            JSONValue.object([
                "name": .string(node.name), "zone": .string(node.zone), "role": .string(node.role),
                "hostname": .string(node.hostname), "status": node.isReady ? "True" : "False",
            ])
        }
        let backups = backups.map { row in
            JSONValue.object(["name": .string(row.etcdCluster), "backups": .string(row.text)])
        }
        return [
            "failures": .array(problems.map(\.value)), "warnings": .array(warnings.map(\.value)),
            "nodes": .array(nodes),
            "etcd": .array(backups),
        ]
    }
}

extension ValidationReport.Problem {
    fileprivate var value: JSONValue {
        ["type": .string(kind), "name": .string(name), "message": .string(message)]
    }
}
