// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import KopsModel
import NodeBuilders
import NodeOS
import SystemPackage

/// Finds and mounts etcd's volume.
struct VolumeStep: Step {
    /// The etcd cluster this version runs; kops has a second one for events.
    static let etcdCluster = "main"
    /// Where its volume is mounted.
    static let mountPoint: FilePath = "/mnt/kopslite/etcd-main"

    let nodeState: NodeState
    let clusterState: ClusterState
    let finder: any VolumeFinder
    let checker: any FilesystemChecker
    let ready: Handover<EtcdVolume.Ready>

    let name = "volume"
    let activity = "waiting for etcd's volume"
    let patience: Duration = .seconds(300)
    let cadence: Duration = .seconds(60)

    func converge(_ observer: any StepObserver) async throws {
        let volume = try await etcdVolume()
        let found = try await volume.prepare()
        guard found.membership.members.count == 1 else {
            throw Failure(
                .permanent,
                code: "etcd-members-unsupported",
                "etcd \(Self.etcdCluster) has members \(found.membership.members.joined(separator: ", ")), and only one is"
                    + " supported",
                hint: "declare one etcd member"
            )
        }
        ready.value = found
    }

    /// The volume as the sealed inputs describe it.
    func etcdVolume() async throws -> EtcdVolume {
        let config = try await nodeState.inputs().config
        let mounter = VolumeMounter(
            node: nodeState.node,
            checker: checker,
            label: "etcd-\(Self.etcdCluster)",
            mountPoint: Self.mountPoint
        )
        return EtcdVolume(
            node: nodeState.node,
            finder: finder,
            mounter: mounter,
            store: clusterState.identities(of: Self.etcdCluster),
            volumeLabel: config.controlPlane?.etcdVolumeLabel ?? "k8s.io/etcd/\(Self.etcdCluster)",
            clusterName: config.clusterName,
            etcdCluster: Self.etcdCluster
        )
    }
}
