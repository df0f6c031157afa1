// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `validate cluster NAME` says whether a cluster works, and if not, why.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Say whether a cluster works.",
        subcommands: [ValidateClusterCommand.self]
    )
}

struct ValidateClusterCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Check machines, nodes, agents and the pods a cluster needs."
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Option(help: "How long to wait for the cluster to work, such as 10m.")
    var wait: DurationArgument?
    @Option(name: [.short, .long], help: "table, yaml or json.")
    var output: OutputFormat = .table

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try await repository.resolved(try nameOption.resolve(clusterName, in: session))
        if output == .table {
            session.console.line("Validating cluster \(cluster.name)")
            session.console.line()
        }
        let report = try await validated(cluster, in: repository, session)
        try report.print(for: cluster, format: output, to: session.console)
        // The report has said why already.
        guard report.isValid else { throw CommandFailure(lines: [], exitCode: 2) }
    }

    private func validated(
        _ cluster: ResolvedCluster,
        in repository: ClusterRepository,
        _ session: Session
    ) async throws -> ValidationReport {
        let elapsed = session.stopwatch()
        let limit = wait?.duration ?? .zero
        var said = ""
        while true {
            let observation = try await ClusterObservation.take(of: cluster, repository: repository, session: session)
            let report = ClusterValidation(cluster: cluster, observation: observation).report()
            let left = limit - elapsed()
            guard !report.isValid, left > .zero else { return report }
            let count = report.problems.count
            let line = "waiting: \(count) \(count == 1 ? "problem" : "problems"), first \(report.problems[0].message)"
            if line != said { session.console.note(line) }
            said = line
            try await session.clock.sleep(for: min(.seconds(5), left))
        }
    }
}
