// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `watch cluster NAME` shows every machine's way to a node, as the machines report it.
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show what every machine is at.",
        subcommands: [WatchClusterCommand.self]
    )
}

struct WatchClusterCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Show one line for each machine, until interrupted.",
        discussion: """
            AGE is how long ago the machine last reported. nodeup reports while it runs, at boot; protokube, on the control \
            plane, at least every \(Int(AgentStatus.heartbeat)) s for as long as it runs: there a machine whose protokube has \
            ceased to report is silent, and has not converged.
            """
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Flag(help: "Show what every machine is at now, and end.")
    var once = false
    @Flag(help: "End once every machine has converged.")
    var untilConverged = false
    @Option(help: "End with an error after this time, such as 10m.")
    var timeout: DurationArgument?

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try await repository.resolved(try nameOption.resolve(clusterName, in: session))
        var screen = WatchScreen(console: session.console)
        let elapsed = session.stopwatch()
        while true {
            let board = try await StatusBoard.read(of: cluster.name, in: repository.store)
            let view = WatchView(cluster: cluster, board: board, now: session.now())
            screen.show(view)
            if once || (untilConverged && view.isConverged) { return }
            let left = timeout.map { $0.duration - elapsed() } ?? .seconds(1)
            guard left > .zero else { throw timedOut(view) }
            try await session.clock.sleep(for: min(.seconds(1), left))
        }
    }

    private func timedOut(_ view: WatchView) -> CommandFailure {
        let rest = view.unfinished
        return CommandFailure(
            rest.isEmpty ? "the time is up" : "the time is up, and these have not converged: \(rest)",
            remedy: rest.isEmpty ? nil : "kopslite validate cluster says more"
        )
    }
}
