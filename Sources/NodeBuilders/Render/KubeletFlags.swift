// SPDX-License-Identifier: Apache-2.0
import KopsModel
import SystemPackage

/// kubelet's command line: what is this machine's own, and what its release has no configuration field for.
///
/// - Source: `cmd/kubelet/app/options` and `pkg/kubelet/config/flags.go` of each minor.
struct KubeletFlags: Sendable {
    let list: FlagList

    init(_ context: NodeContext) {
        let release = context.release
        var flags: FlagList = [
            "config": NodePaths.kubeletConfiguration.string,
            "hostname-override": context.boot.instance,
            "kubeconfig": NodePaths.kubeletKubeconfig.string,
            "node-ip": context.boot.address,
        ]
        if !context.isControlPlane { flags["bootstrap-kubeconfig"] = NodePaths.kubeletBootstrapKubeconfig.string }
        let labels = KubeletLabels(context.config.nodeLabels).own
        if !labels.isEmpty {
            flags["node-labels"] = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(
                separator: ","
            )
        }
        if !release.configuresTaints, !context.config.taints.isEmpty {
            flags["register-with-taints"] = context.config.taints.joined(separator: ",")
        }
        if release.hasPodInfraContainerImageFlag {
            // For docker it chooses the image; with containerd it keeps the image from being collected as unused.
            flags["pod-infra-container-image"] = AddonSet.image(of: "pause", in: context.config, release)
        }
        switch context.config.containerRuntime {
        case .docker:
            flags["network-plugin"] = "cni"
            flags["cni-bin-dir"] = NodePaths.cniBinaries.string
            flags["cni-conf-dir"] = NodePaths.cniConfiguration.string
        case .containerd:
            if release.needsRemoteRuntimeFlag { flags["container-runtime"] = "remote" }
            if !release.configuresRuntimeEndpoint {
                flags["container-runtime-endpoint"] = NodePaths.containerdSocket
            }
        }
        list = flags.overridden(by: context.config.flags["kubelet"])
    }
}

/// Which labels a kubelet may give its own node.
///
/// - Source: `kubernetes.io/docs/reference/access-authn-authz/admission-controllers`, NodeRestriction; kubelet refuses to
///   start with any other label of Kubernetes' own domains.
public struct KubeletLabels: Sendable, Equatable {
    /// Labels kubelet registers its node with.
    public let own: [String: String]
    /// Labels that only somebody with more rights can set, such as `node-role.kubernetes.io/node`.
    public let withheld: [String: String]

    private static let allowed: Set<String> = [
        "beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone", "kubernetes.io/arch",
        "kubernetes.io/hostname", "kubernetes.io/os", "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    ]

    /// Divides labels.
    public init(_ labels: [String: String]) {
        own = labels.filter { Self.allows($0.key) }
        withheld = labels.filter { !Self.allows($0.key) }
    }

    private static func allows(_ key: String) -> Bool {
        guard let slash = key.firstIndex(of: "/") else { return true }
        let domain = String(key[..<slash])
        func lies(in zone: String) -> Bool { domain == zone || domain.hasSuffix("." + zone) }
        guard lies(in: "kubernetes.io") || lies(in: "k8s.io") else { return true }
        return allowed.contains(key) || lies(in: "kubelet.kubernetes.io") || lies(in: "node.kubernetes.io")
    }
}
