// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FoundationEssentials
import KopsModel
import NodeOS
import NodeTasks
import SystemPackage

/// Tells how the last run went, from the machine's own journal.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the last run, without a network.",
        discussion: "Exit status: 0 converged, 2 still running, 1 failed, interrupted or never run."
    )

    @Option(help: "Show the last run below this directory, as --root of apply had it.")
    var root = "/"

    func validate() throws {
        guard FilePath(root).isAbsolute else { throw ValidationError("--root needs an absolute path, not \"\(root)\"") }
    }

    func run() async throws {
        let node = LiveNode(root: FilePath(root))
        let history = try await RunHistory(on: node) { RunLock.isHeld(below: FilePath(root), by: $0) }
        let report = try await report(on: node)
        guard history != nil || report != nil else {
            throw Failure(
                .permanent,
                code: "never-run",
                "nodeup has not run \(root == "/" ? "on this machine" : "below \(root)"): \(RunJournal.path) is not there",
                hint: "nodeup apply"
            )
        }
        Console.print([report.map(Self.text), history?.text].compactMap(\.self).joined(separator: "\n"))
        try Self.exit(history, report)
    }

    /// What a node of a cluster reports; `nil` on any other machine.
    private func report(on node: LiveNode) async throws -> AgentStatus? {
        guard try await node.status(of: StatusReporter.journal) != nil else { return nil }
        return try AgentStatus(parsing: try await node.read(StatusReporter.journal))
    }

    /// Ends with the status that fits whichever spoke last.
    private static func exit(_ history: RunHistory?, _ report: AgentStatus?) throws {
        let phase: RunHistory.Outcome
        if let report, report.updated >= history?.updated ?? .distantPast {
            phase = report.phase == .converged ? .converged : report.phase == .failed ? .failed : .running
        } else {
            phase = history?.outcome ?? .failed
        }
        switch phase {
        case .converged: return
        case .failed, .interrupted: throw ExitCode(1)
        case .running: throw ExitCode(2)
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
