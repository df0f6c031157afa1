// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import NodeTasks
import SystemPackage

/// A run over a list of tasks, without any cluster.
struct TasksRun {
    let file: String
    let root: FilePath

    func plan() async throws -> Plan {
        try await graph().plan(on: LiveNode(root: root))
    }

    func converge() async throws -> ConvergeReport {
        let node = LiveNode(root: root)
        return try await graph().converge(on: node, reader: node)
    }

    private func graph() throws -> NodeTaskGraph {
        let bytes: [UInt8]
        do {
            bytes = try [UInt8](Data(contentsOf: URL(filePath: file)))
        } catch {
            throw Failure(.permanent, code: "tasks-unreadable", "\(file) cannot be read", cause: error)
        }
        return try NodeTaskGraph(try TasksFile.parse(bytes, name: file))
    }
}
