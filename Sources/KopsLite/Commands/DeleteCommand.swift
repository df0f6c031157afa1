// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Clouds
import KopsModel
import StateStore

/// `delete cluster NAME` removes a cluster without trace.
struct DeleteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Remove a cluster, or one of its machines.",
        subcommands: [DeleteClusterCommand.self, DeleteInstanceCommand.self, DeleteSecretCommand.self]
    )
}

struct DeleteClusterCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Show what would be removed; remove it with --yes."
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Flag(help: "Remove what the clouds hold of a cluster that the state store does not know.")
    var external = false
    @Flag(name: [.short, .long], help: "Remove it.")
    var yes = false

    func run(in session: Session) async throws {
        let name = try nameOption.resolve(clusterName, in: session)
        let repository = try state.repository(in: session)
        let keys = try await repository.store.list(ClusterLayout(clusterName: name).root())
        if keys.isEmpty, !external { _ = try await repository.existing(name) }
        let clouds = try await clouds(of: name, in: repository, session)
        guard yes else { return try await preview(name, clouds, objects: keys.count, session) }
        for cloud in clouds {
            let console = session.console
            try await cloud.delete(name) { change in console.line("\(change.kind):\(change.name)\tok") }
        }
        try await forget(name, in: repository.store)
        try Kubeconfig.File(environment: session.environment)?.remove(name)
        session.console.line("Deleted cluster: \"\(name)\"")
    }

    /// The clouds the cluster may have machines in: the declared one, or every one when the declaration is gone.
    private func clouds(
        of name: String,
        in repository: ClusterRepository,
        _ session: Session
    ) async throws -> [any Cloud] {
        let declared = (try? await repository.cluster(name))?.spec.cloudProvider
        return try (declared.map { [$0] } ?? CloudCatalog.supported.map(\.name)).map(session.cloud)
    }

    private func preview(_ name: String, _ clouds: [any Cloud], objects: Int, _ session: Session) async throws {
        var rows: [[String]] = []
        for cloud in clouds {
            let inventory = try await cloud.inventory(of: name)
            rows += inventory.machines.map { ["machine", $0.name, $0.address] }
            rows += inventory.volumes.map { ["volume", $0, $0] } + inventory.networks.map { ["network", $0, $0] }
        }
        if !rows.isEmpty { session.console.output(Table(["TYPE", "NAME", "ID"], rows: rows).text + "\n") }
        session.console.line("\(objects) object\(objects == 1 ? "" : "s") in the state store")
        session.console.line()
        session.console.line("Must specify --yes to delete cluster")
    }

    /// Removes every object; the cluster's own goes last, so that an interrupted run can be repeated.
    private func forget(_ name: String, in store: any StateStore) async throws {
        let layout = ClusterLayout(clusterName: name)
        let last = try layout.cluster()
        // The pointer goes first: a machine that still runs then finds nothing to follow, rather than half of it.
        let first = try layout.head()
        try await store.remove(first, when: .always)
        for key in try await store.list(layout.root()) where key != last { try await store.remove(key, when: .always) }
        try await store.remove(last, when: .always)
    }
}
