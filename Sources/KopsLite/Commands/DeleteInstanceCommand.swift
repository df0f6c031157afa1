// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Clouds
import StateStore

/// `delete instance NAME` removes one machine; `update cluster --yes` makes it again.
struct DeleteInstanceCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "instance",
        abstract: "Show which machine would be removed; remove it with --yes."
    )

    @OptionGroup var argument: MachineArgument
    @Flag(name: [.short, .long], help: "Remove it.")
    var yes = false

    func run(in session: Session) async throws {
        let (cloud, cluster) = try await argument.find(in: session)
        let machine = argument.machine
        guard yes else {
            session.console.line("machine/\(machine)")
            session.console.line()
            session.console.line("Must specify --yes to delete instance")
            return
        }
        try await cloud.deleteMachine(machine, of: cluster)
        let repository = try argument.state.repository(in: session)
        try await forget(machine, of: cluster, in: repository.store)
        await removeNode(machine, of: cluster, in: repository, session)
        session.console.line("Deleted machine/\(machine)")
    }

    /// Frees the machine's pods at once: a node that is only silent keeps them for minutes.
    ///
    /// An API server that does not answer must not keep a machine from being removed.
    private func removeNode(
        _ machine: String,
        of cluster: String,
        in repository: ClusterRepository,
        _ session: Session
    ) async {
        do {
            let resolved = try await repository.resolved(cluster)
            try await session.kubeAPI(repository, resolved).delete("/api/v1/nodes/\(machine)")
        } catch {
            let reason = CommandFailure.lines(of: error).joined(separator: "; ")
            session.console.note("warning: node/\(machine) stays until the API server answers: \(reason)")
        }
    }

    /// What the machine said of itself goes with it, so that its successor is not taken for it.
    private func forget(_ machine: String, of cluster: String, in store: any StateStore) async throws {
        let layout = ClusterLayout(clusterName: cluster)
        for key in try await store.list(layout.statuses()) where key.parts.dropLast().last == machine {
            try await store.remove(key, when: .always)
        }
        try await APIEndpoints(store: store, layout: layout).remove(machine)
    }
}
