// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `get drift NAME` shows which machines are not what they were told to be, and in what.
struct GetDrift: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "drift",
        abstract: "Show which machines differ from what is declared, and in what.",
        discussion: "Exit status: 0 no drift, 2 drift."
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Option(name: [.short, .long], help: "table, yaml or json.")
    var output: OutputFormat = .table

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try await repository.resolved(try nameOption.resolve(clusterName, in: session))
        let view = DriftView(
            declared: cluster.machines.map(\.name),
            board: try await DriftBoard.read(of: cluster.name, in: repository.store),
            head: try await repository.generations(of: cluster.name).head()?.head.generation,
            now: session.now()
        )
        try view.print(format: output, to: session.console)
        // The view has said who differs already.
        if view.hasDrift { throw CommandFailure(lines: [], exitCode: 2) }
    }
}
