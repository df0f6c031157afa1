// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FoundationEssentials
import NodeOS
import NodeTasks
import SystemPackage

/// Acquires the state, builds the tasks, converges, reports.
struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Converge this machine.",
        discussion: "Reads the cluster's state store, or with --tasks a list of tasks and no cluster at all."
    )

    @OptionGroup var source: SourceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let lock = try RunLock.acquire(below: source.rootPath)
        defer { lock.release() }
        let report: ConvergeReport
        if let tasks = source.tasksFile {
            report = try await TasksRun(file: tasks, root: source.rootPath).converge()
        } else {
            report = try await NodeRun(configFile: source.configPath).converge()
        }
        Console.print(try output.render(report))
        if report.failed { throw ExitCode(1) }
    }
}

/// Where the declaration comes from.
struct SourceOptions: ParsableArguments {
    @Option(name: .customLong("config"), help: "The machine's boot configuration.")
    var configFile = "/etc/kopslite/boot.json"

    @Option(name: .customLong("tasks"), help: "Converge this JSON list of tasks; no cluster is needed.")
    var tasksFile: String?

    @Option(name: .customLong("root"), help: "With --tasks: converge the files below this directory.")
    var root = "/"

    var configPath: FilePath { FilePath(configFile) }
    var rootPath: FilePath { FilePath(root) }

    func validate() throws {
        if root != "/", tasksFile == nil { throw ValidationError("--root needs --tasks") }
        guard rootPath.isAbsolute else { throw ValidationError("--root needs an absolute path, not \"\(root)\"") }
    }
}

/// How the result is shown.
struct OutputOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    @Option(name: .shortAndLong, help: "text or json.")
    var output = Format.text

    func render(_ report: ConvergeReport) throws -> String {
        output == .json ? try report.json() : report.text
    }

    func render(_ plan: Plan) throws -> String {
        output == .json ? try plan.json() : plan.text
    }
}
