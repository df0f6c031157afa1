// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import NodeOS
import NodeTasks

/// Shows what `apply` would do, and changes nothing.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what apply would do; changes nothing."
    )

    @OptionGroup var source: SourceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let request = ListRun.Request(prunes: source.prune)
        let plan: Plan
        if let run = try source.tasksRun()?.prepared() {
            plan = try await run.plan(request)
        } else {
            plan = try await NodeRun(configFile: source.configPath).plan(request)
        }
        Console.print(try output.render(plan))
        if !plan.failures.isEmpty { throw ExitCode(1) }
        if !plan.isEmpty { throw ExitCode(2) }
    }
}
