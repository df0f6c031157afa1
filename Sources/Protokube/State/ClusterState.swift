// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import FoundationEssentials
import KopsModel
import NodeOS
import StateStore

/// The cluster's part of the state store, as one control-plane machine uses it.
struct ClusterState: Sendable {
    let boot: BootConfig
    private let open: @Sendable () throws -> any StateStore

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

    /// The record of which data an etcd cluster must run on.
    func identities(of etcdCluster: String) -> some EtcdIdentityStore {
        IdentityRecords(state: self, etcdCluster: etcdCluster)
    }

    /// A use of the store, with its errors as failures.
    @discardableResult
    fileprivate func reaching<Value: Sendable>(
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

/// The identity records of the store.
private struct IdentityRecords: EtcdIdentityStore {
    let state: ClusterState
    let etcdCluster: String

    func read() async throws -> EtcdIdentity? {
        try await state.reaching { store in
            guard let object = try await store.read(try key()) else { return nil }
            return try decode(object)
        }
    }

    func create(_ identity: EtcdIdentity) async throws -> EtcdIdentity {
        try await state.reaching { store in
            do {
                try await store.write(try identity.encoded(), to: try key(), when: .absent)
                return identity
            } catch StoreError.conflict {
                guard let object = try await store.read(try key()) else {
                    throw StoreError.unavailable(url: store.url, reason: "an object is there and not there at once")
                }
                return try decode(object)
            }
        }
    }

    private func key() throws -> StoreKey {
        try ClusterLayout(clusterName: state.boot.clusterName).etcdIdentity(etcdCluster)
    }

    /// A record that is there but damaged is a cluster that existed: never to be taken for none.
    private func decode(_ object: StoredObject) throws -> EtcdIdentity {
        do {
            return try EtcdIdentity(decoding: object.bytes)
        } catch {
            throw StoreError.corrupt(key: "\(try key())", reason: "it is no etcd identity")
        }
    }
}
