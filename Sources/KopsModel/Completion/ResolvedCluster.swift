// SPDX-License-Identifier: Apache-2.0

/// A cluster that is complete and valid: what everything behind the specification works with.
public struct ResolvedCluster: Sendable, Equatable {
    /// The cluster with every default filled in.
    public let cluster: Cluster
    /// Its instance groups with every default filled in, sorted by name.
    public let groups: [InstanceGroup]
    /// Addresses and names, as machines are told them; the API server answers on port 443.
    public private(set) var network: NetworkConfig
    /// The machines' own network.
    public let networkCIDR: IPv4CIDR
    /// The etcd cluster `main`.
    public let etcd: EtcdClusterSpec
    /// All etcd clusters as machines are told of them, `main` first.
    public var etcdClusters: [EtcdClusterConfig] {
        EtcdClusterConfig.names.compactMap { name in
            cluster.spec.etcdClusters.first { $0.name == name }.map { etcd in
                EtcdClusterConfig(
                    name: name,
                    version: etcd.version ?? Cluster.standardEtcdVersion,
                    members: etcd.etcdMembers.map(\.name)
                )
            }
        }
    }

    /// Completes and checks a specification.
    ///
    /// - Parameters:
    ///   - cluster: What was declared.
    ///   - groups: All instance groups of the cluster.
    ///   - store: The store's URL, with which configBase and the like must agree; `nil` leaves that open.
    /// - Throws: ``InvalidCluster`` with everything that is wrong.
    public init(_ cluster: Cluster, groups: [InstanceGroup], store: String?) throws(InvalidCluster) {
        let errors = ClusterCheck(cluster: cluster, groups: groups, store: store).all()
        guard errors.isEmpty else { throw InvalidCluster(errors: errors) }
        let full = cluster.completed(with: groups)
        guard let network = full.spec.networkConfig, let networkCIDR = full.spec.networkCIDR,
            let etcd = full.spec.etcdClusters.first(where: { $0.name == EtcdClusterConfig.names[0] })
        else {
            let problem = SpecProblem(SpecPath("spec"), "leaves the network or etcd open")
            throw InvalidCluster(errors: [SpecError(subject: "Cluster \(full.metadata.name)", problems: [problem])])
        }
        self.cluster = full
        self.groups = groups.map { $0.completed(in: full) }.sorted { $0.metadata.name < $1.metadata.name }
        self.networkCIDR = networkCIDR
        self.etcd = etcd
        self.network = network
        if machines.count(where: { $0.role == .controlPlane }) > 1,
            CloudCatalog.named(full.spec.cloudProvider)?.sharesSegment == true
        {
            self.network.apiAddress = networkCIDR.lastUsable?.description
        }
    }

    /// The cluster's DNS name.
    public var name: String { cluster.metadata.name }
    /// The release every machine runs.
    public var kubernetesVersion: KubernetesVersion { cluster.spec.kubernetesVersion }
    /// The program that runs containers.
    public var containerRuntime: ContainerRuntime {
        cluster.spec.containerRuntime?.runtime ?? kubernetesVersion.standardRuntime
    }

    /// Every machine the cluster is to have, sorted by group, then by number.
    public var machines: [ResolvedMachine] { groups.flatMap(machines(of:)) }

    /// The machines of one group, dealt to its subnets in turn.
    public func machines(of group: InstanceGroup) -> [ResolvedMachine] {
        let zones = group.spec.subnets.compactMap { name in cluster.spec.subnets.first { $0.name == name }?.zone }
        guard let size = group.spec.minSize, size > 0, !zones.isEmpty else { return [] }
        return (1...size).map { number in
            ResolvedMachine(
                name: "\(group.metadata.name)-\(number)",
                group: group.metadata.name,
                role: group.spec.role.role,
                zone: zones[(number - 1) % zones.count]
            )
        }
    }

    /// Flags of every component that runs in a group, by component and flag name without dashes.
    ///
    /// The group's kubelet flags go over those of the control plane, and these over the cluster's.
    public func flags(for group: InstanceGroup) -> [String: [String: String]] {
        let isControlPlane = group.spec.role.role == .controlPlane
        let spec = cluster.spec
        let kubelet = [spec.kubelet, isControlPlane ? spec.controlPlaneKubelet : [:], group.spec.kubelet]
            .reduce(into: [:]) { all, next in all.merge(next) { _, over in over } }
        var fields: [Component: [String: FlagValue]] = [.kubelet: kubelet, .proxy: spec.kubeProxy]
        if isControlPlane {
            fields[.apiServer] = spec.kubeAPIServer
            fields[.controllerManager] = spec.kubeControllerManager
            fields[.scheduler] = spec.kubeScheduler
        }
        return fields.reduce(into: [:]) { all, part in
            let arguments = FlagTable.of(part.key).arguments(part.value)
            if !arguments.isEmpty { all[part.key.rawValue] = arguments }
        }
    }

    /// Kernel settings of a group, its own over the cluster's.
    public func sysctls(for group: InstanceGroup) -> [String: String] {
        (cluster.spec.sysctlParameters + group.spec.sysctlParameters).reduce(into: [:]) { $0[$1.key] = $1.value }
    }

    /// Operating system packages of a group, sorted, each once.
    public func packages(for group: InstanceGroup) -> [String] {
        Set(cluster.spec.packages + group.spec.packages).sorted()
    }
}

/// A machine a cluster is to have.
public struct ResolvedMachine: Sendable, Equatable {
    /// Unique in the cluster: the group's name and a number counted from 1.
    public let name: String
    /// The instance group's name.
    public let group: String
    /// What the machine does.
    public let role: InstanceRole
    /// Where it stands.
    public let zone: String
}

/// A cluster that cannot be used, with everything that is wrong with its objects.
public struct InvalidCluster: Error, Sendable, Equatable, CustomStringConvertible {
    /// At least one, in the order cluster, then instance groups by name.
    public let errors: [SpecError]

    /// Makes an error from its parts.
    public init(errors: [SpecError]) { self.errors = errors }

    /// One line for each problem.
    public var description: String { errors.map(\.description).joined(separator: "\n") }
}

extension ClusterSpec {
    fileprivate var networkConfig: NetworkConfig? {
        guard let host = masterInternalName, let pods = podCIDR, let services = serviceClusterIPRange,
            let api = services.address(at: 1), let dns = kubeDNS?.serverIP, let domain = clusterDNSDomain
        else { return nil }
        return NetworkConfig(
            apiHost: host,
            apiPort: 443,
            podCIDR: pods.description,
            serviceCIDR: services.description,
            apiServiceAddress: api.description,
            dnsAddress: dns.description,
            dnsDomain: domain
        )
    }
}
