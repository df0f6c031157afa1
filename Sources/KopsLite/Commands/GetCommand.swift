// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `get` shows what is declared.
struct GetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show what is declared.",
        subcommands: [
            GetClusters.self, GetInstanceGroups.self, GetAll.self, GetAssets.self, GetKeypairs.self, GetSecrets.self,
            GetTimings.self,
            GetDrift.self,
        ],
        defaultSubcommand: GetAll.self
    )
}

struct GetClusters: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "clusters",
        abstract: "Show clusters.",
        aliases: ["cluster"]
    )

    @Argument(help: "Show only these.")
    var names: [String] = []
    @OptionGroup var state: StateOption
    @Option(name: [.short, .long], help: "table, yaml or json.")
    var output: OutputFormat = .table

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let all = try await repository.names()
        guard !all.isEmpty else { throw repository.noClusters() }
        var clusters: [Cluster] = []
        for name in names.isEmpty ? all : names { clusters.append(try await repository.existing(name)) }
        let printer = ObjectPrinter(console: session.console)
        guard output == .table else {
            return try printer.documents(clusters.map(APIObject.cluster), format: output)
        }
        printer.clusters(clusters)
    }
}

struct GetInstanceGroups: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "instancegroups",
        abstract: "Show instance groups of a cluster.",
        aliases: ["instancegroup", "ig"]
    )

    @Argument(help: "Show only these.")
    var names: [String] = []
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Option(name: [.short, .long], help: "table, yaml or json.")
    var output: OutputFormat = .table

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try await repository.existing(try nameOption.resolve(nil, in: session))
        let all = try await repository.groups(of: cluster.metadata.name)
        let groups = try select(from: all, in: cluster)
        let printer = ObjectPrinter(console: session.console)
        guard output == .table else {
            return try printer.documents(groups.map(APIObject.instanceGroup), format: output)
        }
        printer.groups(groups, of: cluster)
    }

    private func select(from all: [InstanceGroup], in cluster: Cluster) throws -> [InstanceGroup] {
        guard !all.isEmpty else {
            throw CommandFailure(
                "no instance groups found in \(cluster.metadata.name)",
                remedy: "declare them with kopslite create -f FILE"
            )
        }
        guard !names.isEmpty else { return all }
        return try names.map { name in
            if let group = all.first(where: { $0.metadata.name == name }) { return group }
            throw CommandFailure(
                "there is no instance group \(name) in \(cluster.metadata.name)",
                remedy: "groups there: \(all.map(\.metadata.name).joined(separator: ", "))"
            )
        }
    }
}

struct GetAll: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "all",
        abstract: "Show a cluster and its instance groups."
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Option(name: [.short, .long], help: "table, yaml or json.")
    var output: OutputFormat = .table

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try await repository.existing(try nameOption.resolve(clusterName, in: session))
        let groups = try await repository.groups(of: cluster.metadata.name)
        let printer = ObjectPrinter(console: session.console)
        guard output == .table else {
            return try printer.documents([.cluster(cluster)] + groups.map(APIObject.instanceGroup), format: output)
        }
        session.console.line("Cluster")
        printer.clusters([cluster])
        session.console.line()
        session.console.line("Instance Groups")
        printer.groups(groups, of: cluster)
    }
}
