// SPDX-License-Identifier: Apache-2.0
import Clouds
import KopsModel

/// The machines and volumes that a completed cluster and its instance groups declare.
struct DesiredMachines {
    let cluster: Cluster
    let groups: [InstanceGroup]

    /// A machine's name and place.
    struct Slot: Equatable {
        var name: String
        var group: InstanceGroup
        var zone: String
    }

    /// Every machine, dealt over the subnets of its group in turn. A control-plane group has one machine, named as the
    /// group; others number theirs from 1.
    var slots: [Slot] {
        groups.flatMap { group in
            let zones = zones(of: group)
            let count = group.spec.minSize ?? 1
            return (0..<count).map { index in
                let isOnly = group.spec.role.role == .controlPlane && count == 1
                return Slot(
                    name: isOnly ? group.metadata.name : "\(group.metadata.name)-\(index + 1)", group: group,
                    zone: zones.isEmpty ? "" : zones[index % zones.count])
            }
        }
    }

    /// Every etcd member's volume, beside the machine that runs the member.
    var volumes: [DesiredVolume] {
        cluster.spec.etcdClusters.flatMap { etcd in
            let members = etcd.etcdMembers.map(\.name).joined(separator: ",")
            return etcd.etcdMembers.compactMap { member in
                guard let slot = slots.first(where: { $0.group.metadata.name == member.instanceGroup }) else { return nil }
                return DesiredVolume(
                    name: "\(member.name).etcd-\(etcd.name)", zone: slot.zone, size: member.volumeSize ?? 20,
                    labels: [
                        Self.label(ofEtcd: etcd.name): "\(member.name)/\(members)",
                        "KubernetesCluster": cluster.metadata.name,
                    ], machine: slot.name)
            }
        }
    }

    /// The label protokube finds an etcd cluster's volume by.
    static func label(ofEtcd name: String) -> String { "k8s.io/etcd/\(name)" }

    private func zones(of group: InstanceGroup) -> [String] {
        if !group.spec.zones.isEmpty { return group.spec.zones }
        let subnets = cluster.spec.subnets.filter { group.spec.subnets.isEmpty || group.spec.subnets.contains($0.name) }
        return subnets.map(\.zone)
    }
}
