// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import KopsModel
import NodeBuilders
import NodeOS

/// Finds and mounts the volume of one of this machine's etcd members.
struct VolumeStep: Step {
    let site: any EtcdSite

    var name: String { EtcdSteps.name("volume", of: site.etcdCluster) }
    var activity: String { "waiting for etcd's volume" }
    let patience: Duration = .seconds(300)
    let cadence: Duration = .seconds(60)

    /// What is not attached yet is told of by the kernel, but not everywhere: machines in some containers hear nothing.
    func poll(after failure: Failure) -> Duration? {
        ["volume-not-found", "volume-not-attached", "volume-gone"].contains(failure.code) ? .seconds(5) : nil
    }

    /// What is there need be looked at only when devices go.
    func concerns(_ event: DeviceEvent, isTrue: Bool) -> Bool { !isTrue || event.kind == .gone }

    func converge(_ observer: any StepObserver) async throws {
        do {
            _ = try await site.machine().lookAtVolume()
        } catch let error as RegisterError {
            throw Failure(error)
        }
    }
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
