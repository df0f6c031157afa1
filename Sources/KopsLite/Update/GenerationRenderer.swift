// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import NodeBuilders
import NodeOS

/// Turns a completed cluster and its instance groups into the objects that nodes follow.
struct GenerationRenderer {
    let cluster: Cluster
    let groups: [InstanceGroup]
    /// The certificate authorities by keyset name.
    let authorities: [String: String]
    /// The downloads of each role.
    let assets: [InstanceRole: [String: Asset]]

    /// The objects by key: `nodes/<instance group>.json` and `addons/<name>.json`.
    func objects(generation: Int) throws -> [String: [UInt8]] {
        var objects: [String: [UInt8]] = [:]
        for group in groups {
            let config = try config(of: group, generation: generation)
            objects["nodes/\(group.metadata.name).json"] = try encoded(config)
            guard config.role == .controlPlane else { continue }
            for addon in try AddonSet.manifests(for: config) {
                objects["addons/\(addon.name).json"] = try JSONValue.array(addon.objects).encoded()
            }
        }
        return objects
    }

    /// What the machines of one group are told.
    func config(of group: InstanceGroup, generation: Int) throws -> NodeConfig {
        let spec = cluster.spec
        let role = group.spec.role.role
        var config = NodeConfig(
            clusterName: cluster.metadata.name,
            generation: generation,
            instanceGroup: group.metadata.name,
            role: role,
            cloud: spec.cloudProvider,
            kubernetesVersion: spec.kubernetesVersion.description,
            containerRuntime: spec.containerRuntime?.runtime ?? spec.kubernetesVersion.standardRuntime,
            network: try network(),
            certificateAuthorities: authorities,
            assets: assets[role] ?? [:],
            packages: Array(Set(spec.packages + group.spec.packages)).sorted(),
            nodeLabels: labels(of: group),
            taints: group.spec.taints,
            sysctls: sysctls(of: group),
            flags: flags(of: group)
        )
        if role == .controlPlane { config.controlPlane = try controlPlane(config) }
        return config
    }

    private func network() throws -> NetworkConfig {
        let spec = cluster.spec
        guard let pods = spec.podCIDR, let services = spec.serviceClusterIPRange, let host = spec.masterInternalName else {
            throw Failure(.permanent, code: "spec-incomplete", "\(cluster.metadata.name) lacks its network's defaults")
        }
        return NetworkConfig(
            apiHost: host,
            apiPort: 443,
            podCIDR: pods.description,
            serviceCIDR: services.description,
            apiServiceAddress: IPv4Address(number: services.base.number + 1).description,
            dnsAddress: (spec.kubeDNS?.serverIP ?? IPv4Address(number: services.base.number + 10)).description,
            dnsDomain: spec.clusterDNSDomain ?? "cluster.local"
        )
    }

    private func controlPlane(_ config: NodeConfig) throws -> ControlPlaneConfig {
        let etcd = cluster.spec.etcdClusters.first { $0.name == "main" }
        var controlPlane = ControlPlaneConfig(
            etcdVersion: etcd?.version ?? AssetCatalogue.etcdVersion,
            etcdVolumeLabel: DesiredMachines.label(ofEtcd: "main"),
            apiServerNames: [cluster.spec.masterPublicName].compactMap(\.self) + cluster.spec.additionalSans,
            addons: []
        )
        var complete = config
        complete.controlPlane = controlPlane
        controlPlane.addons = try AddonSet.manifests(for: complete).map(\.name)
        return controlPlane
    }

    private func labels(of group: InstanceGroup) -> [String: String] {
        group.spec.nodeLabels.merging(["kops.k8s.io/instancegroup": group.metadata.name]) { declared, _ in declared }
    }

    private func sysctls(of group: InstanceGroup) -> [String: String] {
        Dictionary(
            (cluster.spec.sysctlParameters + group.spec.sysctlParameters).map { ($0.key, $0.value) },
            uniquingKeysWith: { _, ofGroup in ofGroup })
    }

    private func flags(of group: InstanceGroup) -> [String: [String: String]] {
        let spec = cluster.spec
        let kubelet = spec.kubelet
            .merging(group.spec.role.role == .controlPlane ? spec.controlPlaneKubelet : [:]) { $1 }
            .merging(group.spec.kubelet) { $1 }
        let declared: [(Component, [String: FlagValue])] = [
            (.kubelet, kubelet), (.proxy, spec.kubeProxy), (.apiServer, spec.kubeAPIServer),
            (.controllerManager, spec.kubeControllerManager), (.scheduler, spec.kubeScheduler),
        ]
        var flags: [String: [String: String]] = [:]
        for (component, fields) in declared where !fields.isEmpty {
            flags[component.rawValue] = FlagTable.of(component).arguments(fields)
        }
        return flags
    }

    private func encoded(_ config: NodeConfig) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try [UInt8](encoder.encode(config)) + [0x0A]
    }
}
