// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import NodeOS
import SystemPackage

/// Tells how the last run went, from the machine's own journal.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the last run, without a network.",
        discussion: "Exit status: 0 converged, 2 still running, 1 failed or never run."
    )

    func run() async throws {
        let node = LiveNode()
        guard try await node.status(of: StatusReporter.journal) != nil else {
            throw Failure(
                .permanent,
                code: "never-run",
                "nodeup has not run on this machine: \(StatusReporter.journal) is not there",
                hint: "nodeup apply"
            )
        }
        let status = try AgentStatus(parsing: try await node.read(StatusReporter.journal))
        Console.print(Self.text(status))
        switch status.phase {
        case .converged: return
        case .failed: throw ExitCode(1)
        default: throw ExitCode(2)
        }
    }

    static func text(_ status: AgentStatus) -> String {
        var lines = [
            "\(status.instance): \(status.phase.rawValue), \(status.activity)",
            "tasks: \(status.tasksDone) of \(status.tasksTotal) done, \(status.tasksChanged) changed",
        ]
        if let generation = status.generation { lines.append("generation: \(generation)") }
        if let failure = status.failure {
            lines.append("failure: \(failure.message) [\(failure.code)]")
            if !failure.hint.isEmpty { lines.append("hint: \(failure.hint)") }
        }
        return lines.joined(separator: "\n")
    }
}
