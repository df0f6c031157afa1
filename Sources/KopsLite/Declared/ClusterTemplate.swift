// SPDX-License-Identifier: Apache-2.0
import KopsModel

/// The declaration `create cluster` writes from its options.
///
/// - Source: kops `upup/pkg/fi/cloudup/new_cluster.go`; names of today, `control-plane-<zone>`, and one group `nodes`.
struct ClusterTemplate {
    var name: String
    var cloud: CloudCatalog
    var zones: [String]
    var nodeCount: Int
    var controlPlaneCount = 1
    var kubernetesVersion: KubernetesVersion
    var containerRuntime: ContainerRuntime?
    var fileRepository: String?
    var preloadImages: [String]
    /// The machines' network, where the operator chose it.
    var chosenNetwork: IPv4CIDR?
    /// Machine networks of other clusters in the store, which share the host's bridges.
    var takenNetworks: [IPv4CIDR]

    var cluster: Cluster {
        var spec = ClusterSpec()
        spec.api = APIAccess()
        spec.authorization = Authorization()
        spec.assets = fileRepository.map { AssetSource(fileRepository: $0) }
        spec.channel = "stable"
        spec.cloudProvider = cloud.name
        spec.containerRuntime = containerRuntime.map(RuntimeName.init)
        spec.etcdClusters = etcdClusters
        spec.kubelet = ["anonymousAuth": .bool(false)]
        spec.kubernetesVersion = kubernetesVersion
        spec.masterPublicName = "api.\(name)"
        spec.networkCIDR = chosenNetwork ?? network
        spec.networking = NetworkingSpec()
        spec.nonMasqueradeCIDR = IPv4CIDR("100.64.0.0/10")
        spec.subnets = zones.map(SubnetSpec.init(zone:))
        spec.topology = TopologySpec()
        spec.topology?.dns = TopologySpec.DNSTopology()
        var metadata = ObjectMeta(name: name)
        if !preloadImages.isEmpty {
            metadata.annotations[AssetInventory.preloadAnnotation] = preloadImages.joined(separator: ",")
        }
        return Cluster(metadata: metadata, spec: spec)
    }

    var groups: [InstanceGroup] {
        controlPlanes.map { group($0.name, .controlPlane, size: 1, subnets: [$0.zone]) }
            + [group("nodes", .node, size: nodeCount, subnets: zones)]
    }

    var objects: [APIObject] { [.cluster(cluster)] + groups.map(APIObject.instanceGroup) }

    /// A group for each machine of the control plane, since an etcd member names a group: dealt to the zones in turn, and
    /// numbered where zones repeat.
    private var controlPlanes: [(name: String, zone: String)] {
        let zones = zones.isEmpty ? ["a"] : zones
        return (0..<controlPlaneCount).map { index in
            let zone = zones[index % zones.count]
            let number = controlPlaneCount > zones.count ? "-\(index / zones.count + 1)" : ""
            return ("control-plane-\(zone)\(number)", zone)
        }
    }

    /// Both etcd clusters of kops; on a single machine events live in `main`, for a second process there divides no load.
    private var etcdClusters: [EtcdClusterSpec] {
        let names = controlPlanes.map(\.name)
        let members = zip(ClusterSpec.memberNames(of: names), names).map { EtcdMemberSpec(name: $0, instanceGroup: $1) }
        let clusters = controlPlaneCount > 1 ? EtcdClusterConfig.names[...] : EtcdClusterConfig.names.prefix(1)
        return clusters.map { EtcdClusterSpec(name: $0, members: members) }
    }

    private func group(_ group: String, _ role: InstanceRole, size: Int, subnets: [String]) -> InstanceGroup {
        var spec = InstanceGroupSpec(role: role, size: size, subnets: subnets)
        spec.nodeLabels = ["kops.k8s.io/instancegroup": group]
        return InstanceGroup(name: group, cluster: name, spec: spec)
    }

    /// The first network of the cloud's size that no other cluster of the store has; the cloud's own after 256 clusters.
    private var network: IPv4CIDR {
        let first = cloud.networkCIDR
        let around = IPv4CIDR(containing: first.base, prefix: max(0, first.prefix - 8))
        let free = (0..<256).lazy.compactMap { around.subnet(addingBits: first.prefix - around.prefix, number: $0) }
            .first { candidate in !takenNetworks.contains { $0.overlaps(candidate) } }
        return free ?? first
    }
}
