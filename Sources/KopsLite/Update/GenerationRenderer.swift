// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import NodeBuilders

/// Turns a completed cluster and its instance groups into the objects that nodes follow.
struct GenerationRenderer {
    let cluster: ResolvedCluster
    /// What was declared, by its name in the generation, so that it can be brought back.
    let declared: [String: [UInt8]]
    /// What machines must know of the cluster's keys.
    let keys: PublishedKeys
    /// Every download.
    let lock: AssetLock

    /// The objects by key: `nodes/<instance group>.json`, `addons/<name>.json`, `assets.lock.json` and `spec/…`.
    func objects() throws -> [String: [UInt8]] {
        var objects = declared
        objects[AssetLock.objectName] = try encoded(lock)
        for group in cluster.groups {
            let config = try config(of: group)
            objects["nodes/\(group.metadata.name).json"] = try encoded(config)
            guard config.role == .controlPlane else { continue }
            for addon in try AddonSet.manifests(for: config) {
                objects["addons/\(addon.name).json"] = try JSONValue.array(addon.objects).encoded()
            }
        }
        return objects
    }

    /// What the machines of one group are told.
    func config(of group: InstanceGroup) throws -> NodeConfig {
        let spec = cluster.cluster.spec
        let role = group.spec.role.role
        var config = NodeConfig(
            clusterName: cluster.name,
            instanceGroup: group.metadata.name,
            role: role,
            cloud: spec.cloudProvider,
            kubernetesVersion: cluster.kubernetesVersion.description,
            containerRuntime: cluster.containerRuntime,
            network: cluster.network,
            certificateAuthorities: keys.authorities,
            signingPairs: role == .controlPlane ? keys.signingPairs : [:],
            secrets: keys.secrets[role] ?? [],
            assets: lock.assets(of: role),
            assetsSealed: spec.assets?.sealed ?? false,
            packages: Array(Set(spec.packages + group.spec.packages)).sorted(),
            nodeLabels: labels(of: group),
            taints: try taints(of: group),
            sysctls: sysctls(of: group),
            flags: cluster.flags(for: group)
        )
        if role == .controlPlane { config.controlPlane = try controlPlane(config) }
        return config
    }

    private func controlPlane(_ config: NodeConfig) throws -> ControlPlaneConfig {
        var controlPlane = ControlPlaneConfig(
            etcdClusters: cluster.etcdClusters.map(sealing),
            apiServerNames: [cluster.cluster.spec.masterPublicName].compactMap(\.self)
                + cluster.cluster.spec.additionalSans,
            addons: []
        )
        var complete = config
        complete.controlPlane = controlPlane
        controlPlane.addons = try AddonSet.manifests(for: complete).map(\.name)
        return controlPlane
    }

    /// An etcd cluster with the keys its backups are sealed to, where that is declared.
    private func sealing(_ etcd: EtcdClusterConfig) -> EtcdClusterConfig {
        let spec = cluster.cluster.spec.etcdClusters.first { $0.name == etcd.name }
        guard spec?.backups?.encrypted == true else { return etcd }
        var etcd = etcd
        etcd.backupRecipients = keys.backupRecipients
        return etcd
    }

    /// A control-plane machine takes no workloads of users, as in every kops cluster.
    private func taints(of group: InstanceGroup) throws -> [String] {
        guard group.spec.role.role == .controlPlane else { return group.spec.taints }
        let release = try KubernetesRelease(cluster.kubernetesVersion.description)
        return group.spec.taints + release.controlPlaneTaints.map { "\($0)=:NoSchedule" }
    }

    private func labels(of group: InstanceGroup) -> [String: String] {
        group.spec.nodeLabels.merging(["kops.k8s.io/instancegroup": group.metadata.name]) { declared, _ in declared }
    }

    private func sysctls(of group: InstanceGroup) -> [String: String] {
        Dictionary(
            (cluster.cluster.spec.sysctlParameters + group.spec.sysctlParameters).map { ($0.key, $0.value) },
            uniquingKeysWith: { _, ofGroup in ofGroup }
        )
    }

    private func encoded(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try [UInt8](encoder.encode(value)) + [0x0A]
    }
}
