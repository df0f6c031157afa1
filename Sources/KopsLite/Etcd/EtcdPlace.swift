// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import StateStore

/// One etcd cluster, seen from the store.
struct EtcdPlace: Sendable {
    let clusterName: String
    let etcdCluster: String
    let registers: StoreRegisters
    let backups: BackupStore
    private let store: any StateStore
    private let layout: ClusterLayout

    /// The etcd cluster of a name, in a store.
    init(_ clusterName: String, _ etcdCluster: String, in store: any StateStore) {
        let layout = ClusterLayout(clusterName: clusterName)
        self.clusterName = clusterName
        self.etcdCluster = etcdCluster
        self.store = store
        self.layout = layout
        registers = StoreRegisters(layout: layout, etcdCluster: etcdCluster, open: { store })
        backups = BackupStore(store: store, layout: layout, etcdCluster: etcdCluster)
    }

    /// Whether the store has anything of it.
    func isThere() async throws -> Bool {
        if try await store.read(layout.etcdRegister(etcdCluster, Slot.record.path)) != nil { return true }
        return try await !store.list(layout.backups(of: etcdCluster)).isEmpty
    }

    /// What is agreed of it.
    ///
    /// - Throws: ``CommandFailure`` where it was never begun, or its record is lost.
    func record() async throws -> ClusterRecord {
        if let record = try await registers.read(.record)?.value { return record }
        if try await isThere() {
            throw CommandFailure(
                "the store has backups of etcd \(clusterName)/\(etcdCluster) and no record of who its members are",
                remedy:
                    "begin it anew from one of them: kopslite etcd restore \(clusterName) --etcd-cluster \(etcdCluster)"
            )
        }
        throw CommandFailure("etcd \(clusterName)/\(etcdCluster) has not been begun yet")
    }

    /// The machines that have reported of a member, by its name.
    func reporting() async throws -> [String] {
        let keys = try await store.list(layout.etcdRegister(etcdCluster, "reports"))
        return keys.compactMap { $0.parts.last.flatMap { $0.hasSuffix(".json") ? String($0.dropLast(5)) : nil } }
            .sorted()
    }
}
