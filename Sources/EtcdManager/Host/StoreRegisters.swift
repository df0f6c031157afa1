// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
public import StateStore

/// What machines share of an etcd cluster, as objects of a state store.
///
/// - Shape: JSON below `<cluster>/etcd/<main|events>/`.
public struct StoreRegisters: Registers {
    private let open: @Sendable () throws -> any StateStore
    private let layout: ClusterLayout
    private let etcdCluster: String

    /// Makes the registers of an etcd cluster; `open` is called for each use, so that a store may come back.
    public init(layout: ClusterLayout, etcdCluster: String, open: @escaping @Sendable () throws -> any StateStore) {
        self.open = open
        self.layout = layout
        self.etcdCluster = etcdCluster
    }

    /// What a slot holds; `nil` when it is certain that it holds nothing.
    public func read<Value>(_ slot: Slot<Value>) async throws -> Held<Value>? {
        let object = try await reaching(slot.path) { store, key in try await store.read(key) }
        guard let object else { return nil }
        // A record that is there but damaged is a cluster that existed: never to be taken for none.
        guard let value = try? JSONDecoder().decode(Value.self, from: Data(object.bytes)) else {
            let path = "etcd/\(etcdCluster)/\(slot.path)"
            throw RegisterError.damaged(path: path, version: SlotVersion(object.version.text))
        }
        return Held(value, version: SlotVersion(object.version.text))
    }

    /// Changes a slot that still holds what it held.
    public func write<Value>(_ value: Value, to slot: Slot<Value>, replacing version: SlotVersion?) async throws {
        let bytes = try encodeForStore(value)
        let condition = version.map { WriteCondition.version(ObjectVersion($0.text)) } ?? .absent
        _ = try await reaching(slot.path) { store, key in try await store.write(bytes, to: key, when: condition) }
    }

    private func reaching<Value: Sendable>(
        _ path: String,
        _ body: (any StateStore, StoreKey) async throws -> Value
    ) async throws -> Value {
        do {
            return try await body(try open(), try layout.etcdRegister(etcdCluster, path))
        } catch StoreError.conflict {
            throw RegisterError.conflict(path: "etcd/\(etcdCluster)/\(path)")
        } catch let error as StoreError {
            throw RegisterError.unavailable(reason: "\(error)")
        }
    }
}
