// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Clouds
import Foundation
import KopsModel

/// `get timings NAME` shows where the time of every machine's last start went.
struct GetTimings: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "timings",
        abstract: "Show where the time of a cluster's start went."
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try await repository.resolved(try nameOption.resolve(clusterName, in: session))
        let board = try await StatusBoard.read(of: cluster.name, in: repository.store)
        let ready = try await readyTimes(of: cluster, repository, session)
        let machines = try await session.cloud(cluster.cluster.spec.cloudProvider).inventory(of: cluster.name).machines
        let rows = machines.sorted { $0.name < $1.name }.compactMap { machine -> Waterfall.Machine? in
            guard let launched = machine.launched else { return nil }
            return Waterfall.Machine(
                name: machine.name,
                launched: launched,
                reports: board.reports.filter { $0.instance == machine.name },
                ready: ready[machine.name]
            )
        }
        session.console.line(Waterfall(machines: rows).text())
    }

    /// When each node last became Ready, by name; empty where the API server does not answer.
    private func readyTimes(
        of cluster: ResolvedCluster,
        _ repository: ClusterRepository,
        _ session: Session
    ) async throws -> [String: Date] {
        guard let api = try? await session.kubeAPI(repository, cluster),
            let nodes = try? await api.get("/api/v1/nodes")["items"]?.array
        else { return [:] }
        var times: [String: Date] = [:]
        for node in nodes {
            let condition = node["status"]?["conditions"]?.array?.first { $0["type"]?.string == "Ready" }
            guard condition?["status"]?.string == "True", let name = node["metadata"]?["name"]?.string,
                let text = condition?["lastTransitionTime"]?.string
            else { continue }
            times[name] = try? Date.ISO8601FormatStyle().parse(text)
        }
        return times
    }
}
