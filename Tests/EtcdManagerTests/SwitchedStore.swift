// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import StateStore
import Synchronization

/// A store in memory that can be unplugged.
final class SwitchedStore: Sendable {
    static let layout = ClusterLayout(clusterName: MemberVolumeTests.note.clusterName)

    let store = MemoryStore()
    private let unplugged = Mutex(false)

    func setUnplugged(_ isUnplugged: Bool) { unplugged.withLock { $0 = isUnplugged } }

    var registers: StoreRegisters {
        StoreRegisters(layout: Self.layout, etcdCluster: "main") { [self] in
            if unplugged.withLock({ $0 }) { throw StoreError.unavailable(url: "memory://", reason: "unplugged") }
            return store
        }
    }
}
