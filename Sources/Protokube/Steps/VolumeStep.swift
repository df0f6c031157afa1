// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import KopsModel
import NodeBuilders
import NodeOS

/// Finds and mounts the volume of one of this machine's etcd members.
struct VolumeStep: Step {
    let site: any EtcdSite

    var name: String { site.etcdCluster == "main" ? "volume" : "volume-\(site.etcdCluster)" }
    var activity: String { "waiting for etcd's volume" }
    let patience: Duration = .seconds(300)
    let cadence: Duration = .seconds(60)

    func converge(_ observer: any StepObserver) async throws { _ = try await site.volume().look() }
}

extension NodeState {
    /// An etcd cluster as the sealed inputs declare it.
    ///
    /// - Throws: ``Failure`` `etcd-undeclared` (permanent).
    func etcd(_ name: String) async throws -> EtcdClusterConfig {
        guard let etcd = try await inputs().config.controlPlane?.etcd(name) else {
            throw Failure(.permanent, code: "etcd-undeclared", "this machine is told of no etcd \(name)")
        }
        return etcd
    }
}
