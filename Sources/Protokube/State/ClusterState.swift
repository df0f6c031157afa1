// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import FoundationEssentials
import KopsModel
import NodeOS
import StateStore

/// The cluster's part of the state store, as one control-plane machine uses it.
struct ClusterState: Sendable {
    let boot: BootConfig
    let open: @Sendable () throws -> any StateStore

    /// - `open` is called for each use, so that a store that cannot be opened now may be later.
    init(boot: BootConfig, open: @escaping @Sendable () throws -> any StateStore) {
        self.boot = boot
        self.open = open
    }

    private var layout: ClusterLayout { ClusterLayout(clusterName: boot.clusterName) }

    /// The generation in force, verified from what was followed last.
    func generation(after followed: FollowedGeneration) async throws -> Generation {
        try await reaching {
            try await GenerationReader(store: $0, layout: layout, trust: HeadTrust(followed.trust))
                .current(after: followed)
        }
    }

    /// An object of a generation, verified.
    func object(_ name: String, of generation: Generation) async throws -> [UInt8] {
        try await reaching { _ in try await generation.object(named: name) }
    }

    /// Replaces this machine's report.
    func write(status bytes: [UInt8]) async throws {
        try await reaching {
            try await $0.write(bytes, to: layout.status(of: "protokube", on: boot.instance), when: .always)
        }
    }

    /// Replaces this machine's endpoint record.
    func write(_ endpoint: EndpointRecord) async throws {
        try await reaching { try await APIEndpoints(store: $0, layout: layout).publish(endpoint, of: boot.instance) }
    }

    /// What machines share of an etcd cluster.
    func registers(of etcdCluster: String) -> StoreRegisters {
        StoreRegisters(layout: layout, etcdCluster: etcdCluster, open: open)
    }

    /// A use of the store, with its errors as failures.
    @discardableResult
    private func reaching<Value: Sendable>(
        _ body: (any StateStore) async throws -> Value
    ) async throws -> Value {
        do {
            return try await body(try open())
        } catch let error as GenerationError {
            throw Failure(.transient, code: error.code, "\(error)", hint: error.hint)
        } catch let failure as Failure {
            throw failure
        } catch let error as StoreError {
            throw Failure(
                .transient,
                code: error.code,
                "the state store \(boot.store) cannot be used",
                hint: error.hint,
                cause: error
            )
        }
    }
}
