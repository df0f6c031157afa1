// SPDX-License-Identifier: Apache-2.0

extension Cluster {
    /// The etcd release of clusters that name none.
    public static let standardEtcdVersion = "3.4.23"
    /// The etcd volumes' size in GiB of clusters that name none.
    ///
    /// - Differs: kops has 20; the local cloud's volumes are files of this host.
    public static let standardVolumeSize = 2

    /// The cluster with every default filled in; what was declared stays.
    ///
    /// - Source: kops `upup/pkg/fi/cloudup/defaults.go` and `pkg/model/components`.
    /// - Differs: one pass, for no default here depends on a later one; kops repeats until nothing changes.
    public func completed(with groups: [InstanceGroup]) -> Self {
        var result = self
        result.spec.completeAccess(name: metadata.name)
        result.spec.completeNetwork()
        result.spec.completeEtcd(groups)
        return result
    }
}

extension ClusterSpec {
    fileprivate mutating func completeAccess(name: String) {
        api = api ?? APIAccess()
        authorization = authorization ?? Authorization()
        containerRuntime = containerRuntime ?? RuntimeName(kubernetesVersion.standardRuntime)
        masterInternalName = masterInternalName ?? "api.internal.\(name)"
        masterPublicName = masterPublicName ?? "api.\(name)"
        var reach = topology ?? TopologySpec()
        reach.dns = reach.dns ?? TopologySpec.DNSTopology()
        topology = reach
    }

    fileprivate mutating func completeNetwork() {
        let nonMasquerade = nonMasqueradeCIDR ?? Self.standardNonMasqueradeCIDR
        clusterDNSDomain = clusterDNSDomain ?? kubeDNS?.domain ?? "cluster.local"
        networkCIDR = networkCIDR ?? CloudCatalog.named(cloudProvider)?.networkCIDR
        networking = networking ?? NetworkingSpec()
        nonMasqueradeCIDR = nonMasquerade
        // The upper half is for pods; the lowest eighth is for Services, and the halves do not meet.
        podCIDR = podCIDR ?? nonMasquerade.subnet(addingBits: 1, number: 1)
        serviceClusterIPRange = serviceClusterIPRange ?? nonMasquerade.subnet(addingBits: 3, number: 0)
        var dns = kubeDNS ?? KubeDNSSpec()
        dns.domain = dns.domain ?? clusterDNSDomain
        dns.replicas = dns.replicas ?? 2
        dns.serverIP = dns.serverIP ?? serviceClusterIPRange?.address(at: 10)
        kubeDNS = dns
    }

    fileprivate mutating func completeEtcd(_ groups: [InstanceGroup]) {
        if etcdClusters.isEmpty {
            let names = groups.filter { $0.spec.role.role == .controlPlane }.map(\.metadata.name).sorted()
            let members = zip(Self.memberNames(of: names), names).map { EtcdMemberSpec(name: $0, instanceGroup: $1) }
            etcdClusters = [EtcdClusterSpec(name: "main", members: members)]
        }
        for cluster in etcdClusters.indices {
            etcdClusters[cluster].version = etcdClusters[cluster].version ?? Cluster.standardEtcdVersion
            for member in etcdClusters[cluster].etcdMembers.indices {
                let size = etcdClusters[cluster].etcdMembers[member].volumeSize
                etcdClusters[cluster].etcdMembers[member].volumeSize = size ?? Cluster.standardVolumeSize
            }
        }
    }

    /// `100.64.0.0/10`, the addresses of carriers' own networks, RFC 6598.
    private static let standardNonMasqueradeCIDR = IPv4CIDR(
        containing: IPv4Address(number: 100 << 24 | 64 << 16),
        prefix: 10
    )

    /// Short names of etcd's members from the names of their instance groups.
    ///
    /// - Source: kops `create cluster`: without `control-plane-` or `master-`, then without the first letter all share,
    ///   again and again while the first name is longer than one letter; `local-a` and `local-b` become `a` and `b`.
    public static func memberNames(of groups: [String]) -> [String] {
        var names = groups.map { name in
            ["control-plane-", "master-"].first { name.hasPrefix($0) }.map { String(name.dropFirst($0.count)) } ?? name
        }
        while let first = names.first, first.count > 1, names.allSatisfy({ $0.first == first.first && $0.count > 1 }) {
            names = names.map { String($0.dropFirst()) }
        }
        return names
    }
}

extension InstanceGroup {
    /// The group with every default filled in; what was declared stays.
    ///
    /// - Source: kops: one machine in a group of the control plane, two in a group of nodes; all subnets.
    public func completed(in cluster: Cluster) -> Self {
        var result = self
        let standard = spec.role.role == .controlPlane ? 1 : 2
        result.spec.minSize = spec.minSize ?? spec.maxSize.map { min($0, standard) } ?? standard
        result.spec.maxSize = spec.maxSize ?? max(result.spec.minSize ?? standard, standard)
        if spec.subnets.isEmpty {
            let subnets = cluster.spec.subnets.filter { spec.zones.isEmpty || spec.zones.contains($0.zone) }
            result.spec.subnets = subnets.map(\.name)
        }
        return result
    }
}
