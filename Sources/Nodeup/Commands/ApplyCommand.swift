// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
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

    @Option(help: "Change nothing unless the plan has this digest, as `nodeup plan` printed it.")
    var expectPlan: String?

    @Option(help: "How many tasks run at the same time.")
    var jobs = ConvergeOptions().width

    func validate() throws {
        guard jobs >= 1 else { throw ValidationError("--jobs needs a number of at least 1, not \(jobs)") }
        guard expectPlan.map(Self.isDigest) ?? true else {
            throw ValidationError("--expect-plan needs the 64 hex digits that `nodeup plan` prints last")
        }
    }

    func run() async throws {
        // Before the lock, which leaves a file: what is refused here leaves nothing.
        let run = try source.tasksRun()?.prepared()
        let lock = try RunLock.acquire(below: source.rootPath)
        defer { lock.release() }
        let request = ListRun.Request(prunes: source.prune, expected: expectPlan)
        let options = ConvergeOptions(width: jobs)
        let report: ConvergeReport
        if let run {
            report = try await run.converge(request, pid: getpid(), options: options, observer: WaitPrinter())
        } else {
            report = try await NodeRun(configFile: source.configPath).converge(request, options: options)
        }
        Console.print(try output.render(report))
        if report.failed { throw ExitCode(1) }
    }

    private static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }
}
