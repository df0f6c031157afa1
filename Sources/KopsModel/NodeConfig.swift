// SPDX-License-Identifier: Apache-2.0
/// What a machine of an instance group is told: everything `nodeup` needs to make it a node, resolved by the CLI.
///
/// - Shape: JSON, the object `nodes/<instance group>.json` of a generation.
/// - Differs: kops nodes read the whole cluster specification; here a node reads this one object and the secrets of
///   its role.
public struct NodeConfig: Codable, Sendable, Equatable {
    /// The cluster's DNS name, such as `demo.example.com`.
    public var clusterName: String
    /// The name of the instance group.
    public var instanceGroup: String
    /// What the machine does in the cluster.
    public var role: InstanceRole
    /// The cloud's name, such as `local`.
    public var cloud: String
    /// The Kubernetes release without a leading `v`, such as `1.20.2`.
    public var kubernetesVersion: String
    /// Which container runtime kubelet talks to.
    public var containerRuntime: ContainerRuntime
    /// Addresses and names of the cluster's network.
    public var network: NetworkConfig
    /// The certificate authorities' public certificates as PEM, by keyset name, such as `kubernetes-ca`.
    public var certificateAuthorities: [String: String]
    /// The identifier of the pair that signs, by keyset name; what of it concerns the role.
    public var signingPairs: [String: String]
    /// The names of the secrets that become files of root's on the machine.
    public var secrets: [String]
    /// Every file the machine downloads, by asset name, such as `kubelet`.
    public var assets: [String: Asset]
    /// Whether the machine refuses every address that the generation's lock file does not have.
    public var assetsSealed: Bool
    /// Operating system packages beyond those the runtime and kubelet need.
    public var packages: [String]
    /// Labels kubelet registers its node with.
    public var nodeLabels: [String: String]
    /// Taints kubelet registers its node with, each as `key=value:Effect`.
    public var taints: [String]
    /// Kernel settings beyond the defaults.
    public var sysctls: [String: String]
    /// Flags that override what the release table gives, by component name and flag name without dashes.
    public var flags: [String: [String: String]]
    /// The control plane's own part; `nil` on workers.
    public var controlPlane: ControlPlaneConfig?

    /// Makes a configuration from its parts.
    public init(
        clusterName: String,
        instanceGroup: String,
        role: InstanceRole,
        cloud: String,
        kubernetesVersion: String,
        containerRuntime: ContainerRuntime,
        network: NetworkConfig,
        certificateAuthorities: [String: String],
        signingPairs: [String: String] = [:],
        secrets: [String] = [],
        assets: [String: Asset],
        assetsSealed: Bool = false,
        packages: [String] = [],
        nodeLabels: [String: String] = [:],
        taints: [String] = [],
        sysctls: [String: String] = [:],
        flags: [String: [String: String]] = [:],
        controlPlane: ControlPlaneConfig? = nil
    ) {
        self.clusterName = clusterName
        self.instanceGroup = instanceGroup
        self.role = role
        self.cloud = cloud
        self.kubernetesVersion = kubernetesVersion
        self.containerRuntime = containerRuntime
        self.network = network
        self.certificateAuthorities = certificateAuthorities
        self.signingPairs = signingPairs
        self.secrets = secrets
        self.assets = assets
        self.assetsSealed = assetsSealed
        self.packages = packages
        self.nodeLabels = nodeLabels
        self.taints = taints
        self.sysctls = sysctls
        self.flags = flags
        self.controlPlane = controlPlane
    }
}

/// What a machine does in the cluster.
public enum InstanceRole: String, Codable, Sendable, CaseIterable {
    /// Runs etcd and the API server; `Master` and `ControlPlane` in kops' API.
    case controlPlane = "control-plane"
    /// Runs workloads; `Node` in kops' API.
    case node
}

/// The program that runs containers for kubelet.
public enum ContainerRuntime: String, Codable, Sendable, CaseIterable {
    /// Docker behind kubelet's dockershim: kubelets before 1.24 only.
    case docker
    /// containerd over CRI.
    case containerd
}

/// Addresses and names of the cluster's network.
public struct NetworkConfig: Codable, Sendable, Equatable {
    /// The host part of the API server's internal URL, such as `api.internal.demo.example.com`.
    public var apiHost: String
    /// The API server's TCP port.
    public var apiPort: Int
    /// An address of the machines' network at which some API server answers, whichever it is; `nil` while there is one
    /// control-plane machine, whose own address that is.
    public var apiAddress: String?
    /// The network all pods live in, such as `100.96.0.0/11`.
    public var podCIDR: String
    /// The network of Service addresses, such as `100.64.0.0/13`.
    public var serviceCIDR: String
    /// The API server's Service address, the first of `serviceCIDR`.
    public var apiServiceAddress: String
    /// The cluster DNS's Service address, the tenth of `serviceCIDR`.
    public var dnsAddress: String
    /// The DNS domain of Services, such as `cluster.local`.
    public var dnsDomain: String

    /// Makes a network from its parts.
    public init(
        apiHost: String,
        apiPort: Int,
        apiAddress: String? = nil,
        podCIDR: String,
        serviceCIDR: String,
        apiServiceAddress: String,
        dnsAddress: String,
        dnsDomain: String
    ) {
        self.apiHost = apiHost
        self.apiPort = apiPort
        self.apiAddress = apiAddress
        self.podCIDR = podCIDR
        self.serviceCIDR = serviceCIDR
        self.apiServiceAddress = apiServiceAddress
        self.dnsAddress = dnsAddress
        self.dnsDomain = dnsDomain
    }
}

/// A file named by its digest, with every place it may come from.
public struct Asset: Codable, Sendable, Equatable {
    /// The SHA-256 of the file as 64 lower-case hex digits.
    public var sha256: String
    /// In bytes; `nil` where the repository does not say.
    public var size: Int64?
    /// URLs in the order they are tried; each serves the same bytes.
    public var sources: [String]
    /// For a container image: the reference it carries, such as `k8s.gcr.io/pause:3.2`.
    public var image: String?

    /// Makes an asset from its parts.
    public init(sha256: String, size: Int64? = nil, sources: [String], image: String? = nil) {
        self.sha256 = sha256
        self.size = size
        self.sources = sources
        self.image = image
    }
}
