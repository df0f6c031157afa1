// SPDX-License-Identifier: Apache-2.0
import Clouds
import EtcdManager
import FoundationEssentials
import KopsModel
import StateStore

/// Everything `validate` looks at, read once.
struct ClusterObservation: Sendable {
    /// When it was read, which the age of reports is measured against.
    let taken: Date
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
    /// How well etcd clusters that were begun are backed up.
    var backups: [Backups] = []

    init(taken: Date) { self.taken = taken }

    /// How well one etcd cluster is backed up.
    struct Backups: Sendable, Equatable {
        /// `main` or `events`.
        var etcdCluster: String
        var health: BackupHealth
        /// The summary in a line.
        var text: String
    }

    /// Asks the store, the cloud and the API server; what does not answer becomes part of the observation.
    static func take(
        of cluster: ResolvedCluster,
        repository: ClusterRepository,
        session: Session
    ) async throws -> ClusterObservation {
        var result = ClusterObservation(taken: session.now())
        result.board = try await StatusBoard.read(of: cluster.name, in: repository.store)
        for etcd in cluster.etcdClusters {
            let place = EtcdPlace(cluster.name, etcd.name, in: repository.store)
            if let backups = try await Backups(of: place, now: session.now()) { result.backups.append(backups) }
        }
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

extension ClusterObservation.Backups {
    /// Reads what the store lists; `nil` of an etcd cluster that has not been begun.
    init?(of place: EtcdPlace, now: Date) async throws {
        guard let record = try await place.registers.read(.record)?.value else { return nil }
        etcdCluster = place.etcdCluster
        health = BackupHealth(of: try await place.backups.list(), begun: record.begun, now: now)
        text = health.summary.text(now: now)
    }
}
