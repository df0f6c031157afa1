// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
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
        let plan: Plan
        if let tasks = source.tasksFile {
            plan = try await TasksRun(file: tasks, root: source.rootPath).plan()
        } else {
            plan = try await NodeRun(configFile: source.configPath).plan()
        }
        Console.print(try output.render(plan))
        if !plan.isEmpty { throw ExitCode(2) }
    }
}
