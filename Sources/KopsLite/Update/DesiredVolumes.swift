// SPDX-License-Identifier: Apache-2.0
import Clouds
import KopsModel

/// The volumes that a cluster declares, each beside the machine that runs its etcd member.
struct DesiredVolumes {
    let cluster: ResolvedCluster

    /// Every etcd member's volume, with the label by which protokube finds it.
    var all: [DesiredVolume] {
        cluster.cluster.spec.etcdClusters.flatMap { etcd in
            let members = etcd.etcdMembers.map(\.name).joined(separator: ",")
            return etcd.etcdMembers.compactMap { member -> DesiredVolume? in
                guard let machine = cluster.machines.first(where: { $0.group == member.instanceGroup }) else {
                    return nil
                }
                return DesiredVolume(
                    name: "\(member.name).etcd-\(etcd.name)",
                    zone: machine.zone,
                    size: member.volumeSize ?? Self.standardSize,
                    labels: [
                        EtcdClusterConfig.volumeLabel(of: etcd.name): "\(member.name)/\(members)",
                        "KubernetesCluster": cluster.name,
                    ],
                    machine: machine.name
                )
            }
        }
    }

    /// In GiB; as kops' default.
    private static let standardSize = 20
}
