// SPDX-License-Identifier: Apache-2.0

/// What a person declares of a cluster.
///
/// - Source: kops v1alpha2, the fields that nodes of this project use; ``Cluster/completed(with:)`` fills the rest.
public struct ClusterSpec: Sendable, Equatable {
    /// More names and addresses for the API server's certificate.
    public var additionalSans: [String] = []
    /// How the API server is found.
    public var api: APIAccess?
    /// Where files are downloaded from.
    public var assets: AssetSource?
    /// Who may do what in the cluster; RBAC.
    public var authorization: Authorization?
    /// The channel of versions, kept as it is.
    public var channel: String?
    /// Labels for everything made in the cloud.
    public var cloudLabels: [String: String] = [:]
    /// The cloud's name, such as `local`.
    public var cloudProvider: String = ""
    /// The DNS domain of Services.
    public var clusterDNSDomain: String?
    /// The store's URL with the cluster's name, stated by kops.
    public var configBase: String?
    /// The program that runs containers.
    public var containerRuntime: RuntimeName?
    /// Kubelet flags on the control plane only, over `kubelet`.
    public var controlPlaneKubelet: [String: FlagValue] = [:]
    /// The etcd clusters: `main`, and `events` where events are kept apart.
    public var etcdClusters: [EtcdClusterSpec] = []
    /// Rights of machines in the cloud, kept as they are.
    public var iam: IAMSpec?
    /// The keysets' URL, stated by kops.
    public var keyStore: String?
    /// API server flags.
    public var kubeAPIServer: [String: FlagValue] = [:]
    /// Controller manager flags.
    public var kubeControllerManager: [String: FlagValue] = [:]
    /// The cluster's DNS.
    public var kubeDNS: KubeDNSSpec?
    /// kube-proxy flags.
    public var kubeProxy: [String: FlagValue] = [:]
    /// Scheduler flags.
    public var kubeScheduler: [String: FlagValue] = [:]
    /// Kubelet flags on every machine.
    public var kubelet: [String: FlagValue] = [:]
    /// From where the API server may be reached.
    public var kubernetesApiAccess: [IPv4CIDR] = []
    /// The release every machine runs.
    public var kubernetesVersion: KubernetesVersion = .standard
    /// The API server's name inside the cluster.
    public var masterInternalName: String?
    /// The API server's name for people.
    public var masterPublicName: String?
    /// The machines' network.
    public var networkCIDR: IPv4CIDR?
    /// How pods reach each other.
    public var networking: NetworkingSpec?
    /// The network pods and Services share.
    public var nonMasqueradeCIDR: IPv4CIDR?
    /// Operating system packages for every machine.
    public var packages: [String] = []
    /// The pods' network.
    public var podCIDR: IPv4CIDR?
    /// The secrets' URL, stated by kops.
    public var secretStore: String?
    /// The Services' network.
    public var serviceClusterIPRange: IPv4CIDR?
    /// From where machines may be reached by SSH.
    public var sshAccess: [IPv4CIDR] = []
    /// Where machines stand.
    public var subnets: [SubnetSpec] = []
    /// Kernel settings, each `key=value`.
    public var sysctlParameters: [SysctlSetting] = []
    /// What is reachable from outside.
    public var topology: TopologySpec?

    /// Makes a specification without any field set.
    public init() {}
}

extension ClusterSpec: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("additionalSans", &additionalSans)
        fields.field("api", &api)
        fields.field("assets", &assets)
        fields.field("authorization", &authorization)
        fields.field("channel", &channel)
        fields.field("cloudLabels", &cloudLabels)
        fields.required("cloudProvider", &cloudProvider, remedy: "write local")
        fields.field("clusterDNSDomain", &clusterDNSDomain)
        fields.field("configBase", &configBase)
        fields.field("containerRuntime", &containerRuntime)
        walkComponents(&fields)
        fields.field("etcdClusters", &etcdClusters)
        fields.field("iam", &iam)
        fields.field("keyStore", &keyStore)
        fields.field("kubeDNS", &kubeDNS)
        fields.field("kubernetesApiAccess", &kubernetesApiAccess)
        fields.required("kubernetesVersion", &kubernetesVersion, remedy: "write \(KubernetesVersion.standard)")
        fields.field("masterInternalName", &masterInternalName)
        fields.field("masterPublicName", &masterPublicName)
        fields.field("networkCIDR", &networkCIDR)
        fields.field("networking", &networking)
        fields.field("nonMasqueradeCIDR", &nonMasqueradeCIDR)
        fields.field("packages", &packages)
        fields.field("podCIDR", &podCIDR)
        fields.field("secretStore", &secretStore)
        fields.field("serviceClusterIPRange", &serviceClusterIPRange)
        fields.field("sshAccess", &sshAccess)
        fields.field("subnets", &subnets)
        fields.field("sysctlParameters", &sysctlParameters)
        fields.field("topology", &topology)
        refuseUnsupported(&fields)
    }

    private mutating func walkComponents(_ fields: inout FieldWalker) {
        fields.flags("controlPlaneKubelet", of: .kubelet, &controlPlaneKubelet)
        if controlPlaneKubelet.isEmpty {
            // The name before Kubernetes 1.26 for the same thing.
            fields.flags("masterKubelet", of: .kubelet, &controlPlaneKubelet)
        }
        fields.flags("kubeAPIServer", of: .apiServer, &kubeAPIServer)
        fields.flags("kubeControllerManager", of: .controllerManager, &kubeControllerManager)
        fields.flags("kubeProxy", of: .proxy, &kubeProxy)
        fields.flags("kubeScheduler", of: .scheduler, &kubeScheduler)
        fields.flags("kubelet", of: .kubelet, &kubelet)
    }

    private func refuseUnsupported(_ fields: inout FieldWalker) {
        fields.refuse(
            ["fileAssets", "hooks"],
            remedy: "install what machines need with packages, or bake it into their image"
        )
        fields.refuse(["addons"], remedy: "apply further manifests with kubectl once the cluster runs")
        fields.refuse(["docker", "containerd"], remedy: "the runtime's settings are chosen for you, remove it")
        fields.refuse(["egressProxy"], remedy: "serve every file from assets.fileRepository instead")
        fields.refuse(
            [
                "networkID", "additionalNetworkCIDRs", "dnsZone", "project", "sshKeyName", "cloudConfig",
                "additionalPolicies", "externalPolicies", "nodePortAccess", "cloudControllerManager", "target",
            ],
            remedy: "the local cloud has nothing like it, remove it"
        )
        fields.refuse(
            [
                "authentication", "awsLoadBalancerController", "certManager", "clusterAutoscaler", "configStore",
                "encryptionConfig", "externalDns", "gossipConfig", "dnsControllerGossipConfig", "isolateMasters",
                "karpenter", "metricsServer", "nodeAuthorization", "nodeProblemDetector", "nodeTerminationHandler",
                "ntp", "podIdentityWebhook", "rollingUpdate", "serviceAccountIssuerDiscovery", "snapshotController",
                "updatePolicy", "useHostCertificates", "warmPool",
            ],
            remedy: "remove it"
        )
    }
}
