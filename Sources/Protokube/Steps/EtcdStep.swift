// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import KopsModel
import NodeBuilders
import NodeOS
import SystemPackage

/// Runs etcd on its volume and waits until it serves.
struct EtcdStep: Step {
    static let clientURL = "https://127.0.0.1:2379"
    /// Loopback while there is one member: nobody else needs to reach it.
    static let peerURL = "https://127.0.0.1:2380"

    let nodeState: NodeState
    let volume: VolumeStep
    let health: EtcdHealthProbe

    let name = "etcd"
    let activity = "waiting for etcd"
    let patience: Duration = .seconds(180)
    let cadence: Duration = .seconds(15)

    func converge(_ observer: any StepObserver) async throws {
        guard let ready = volume.ready.value else {
            throw Failure(.waiting, code: "volume-not-found", "etcd's volume is not mounted yet")
        }
        let service = EtcdService(
            node: nodeState.node,
            unit: try await unit(ready),
            source: EtcdCertificates(in: NodePaths.etcdPKI)
        )
        try await service.ensureRunning(ready.identity.initialised == false ? .new : .existing)
        await observer.progress("")
        try await service.checkHealth(health)
        guard ready.identity.initialised == false else { return }
        try await volume.etcdVolume().markInitialised(ready)
        volume.ready.value?.identity.initialised = true
        // Should etcd end now and be started by systemd alone, it must not begin a cluster again.
        try await service.ensureRunning(.existing)
    }

    private func unit(_ ready: EtcdVolume.Ready) async throws -> EtcdUnit {
        let runtime = EtcdService.runtimeDirectory(of: VolumeStep.etcdCluster)
        return EtcdUnit(
            etcdCluster: VolumeStep.etcdCluster,
            version: try await nodeState.inputs().config.controlPlane?.etcdVersion ?? "",
            member: ready.membership.member,
            peers: [EtcdUnit.Peer(name: ready.membership.member, url: Self.peerURL)],
            token: ready.identity.id,
            binary: NodePaths.etcd.appending("etcd"),
            volume: VolumeStep.mountPoint,
            dataDirectory: VolumeStep.mountPoint.appending("data"),
            certificates: EtcdCertificates(in: runtime.appending("pki")),
            clientURL: Self.clientURL,
            environmentFile: runtime.appending("environment")
        )
    }
}
