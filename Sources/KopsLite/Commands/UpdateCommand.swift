// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `update cluster NAME` makes the cloud and the machines follow the declaration.
struct UpdateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Make a cluster follow its declaration.",
        subcommands: [UpdateClusterCommand.self]
    )
}

/// How far an update goes.
enum UpdateTarget: String, ExpressibleByArgument, CaseIterable {
    case direct
    case store
}

struct UpdateClusterCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Show what would change; change it with --yes."
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Flag(name: [.short, .long], help: "Change it.")
    var yes = false
    @Option(help: "direct: keys, generation and machines; store: keys and generation, machines are made by others.")
    var target = UpdateTarget.direct

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try await repository.resolved(try nameOption.resolve(clusterName, in: session))
        try await session.update(
            UpdateRequest(repository: repository, cluster: cluster, isConfirmed: yes, leavesMachines: target == .store),
            session
        )
    }
}
