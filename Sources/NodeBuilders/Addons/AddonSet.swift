// SPDX-License-Identifier: Apache-2.0
public import KopsModel
import NodeOS

/// The objects every cluster needs before it can run anybody's pods, as protokube applies them.
public enum AddonSet {
    /// The add-ons by name in the order they are applied: what a joining kubelet needs comes first.
    ///
    /// - Parameter config: The configuration of a control-plane group; its network and image assets decide the objects.
    /// - Returns: Each add-on's name and objects, the latter in the order in which one needs the other.
    /// - Throws: ``Failure`` when the Kubernetes version is not supported, or the code `flag-unsupported` when a
    ///   kube-proxy flag has no field in its configuration.
    public static func manifests(for config: NodeConfig) throws -> [(name: String, objects: [JSONValue])] {
        let release = try KubernetesRelease(config.kubernetesVersion)
        return [
            (name: "bootstrap", objects: BootstrapAddon.objects),
            (name: "kube-proxy", objects: try KubeProxyAddon(config: config, release: release).objects()),
            (name: "pod-network", objects: PodNetworkAddon(config: config, release: release).objects),
            (name: "kube-dns", objects: KubeDNSAddon(config: config, release: release).objects),
        ]
    }

    /// The image of a component: the one its asset carries, else the registry's.
    static func image(of component: String, in config: NodeConfig, _ release: KubernetesRelease) -> String {
        config.assets[component]?.image ?? release.image(of: component)
    }
}
