// SPDX-License-Identifier: Apache-2.0
import Clouds
import KopsModel
import StateStore

/// Everything `validate` looks at, read once.
struct ClusterObservation: Sendable {
    /// What the cloud runs.
    var machines: [CloudInventory.Machine] = []
    /// Why the cloud could not be asked; `nil` when it could.
    var cloudFailure: String?
    /// Nodes and pods as the API server shows them; `nil` when it could not be asked.
    var nodes: [JSONValue]?
    var pods: [JSONValue] = []
    /// Why the API server could not be asked.
    var apiFailure: String?
    /// What machines say of themselves.
    var board = StatusBoard()

    /// Asks the store, the cloud and the API server; what does not answer becomes part of the observation.
    static func take(
        of cluster: ResolvedCluster,
        repository: ClusterRepository,
        session: Session
    ) async throws -> ClusterObservation {
        var result = ClusterObservation()
        result.board = try await StatusBoard.read(of: cluster.name, in: repository.store)
        do {
            result.machines = try await session.cloud(cluster.cluster.spec.cloudProvider).inventory(of: cluster.name)
                .machines
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            result.cloudFailure = line(of: error)
        }
        do {
            let api = try await session.kubeAPI(repository, cluster)
            result.nodes = try await api.get("/api/v1/nodes")["items"]?.array ?? []
            result.pods = try await api.get("/api/v1/pods")["items"]?.array ?? []
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            result.nodes = nil
            result.apiFailure = line(of: error)
        }
        return result
    }

    private static func line(of error: any Error) -> String {
        CommandFailure.lines(of: error).joined(separator: "; ")
    }
}
