// SPDX-License-Identifier: Apache-2.0

/// How the API server is found.
public struct APIAccess: Sendable, Equatable {
    /// By its DNS name; the only way here.
    public var dns: EmptyObject? = EmptyObject()

    /// Makes access by DNS.
    public init() {}
}

extension APIAccess: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("dns", &dns)
        fields.refuse(["loadBalancer"], remedy: "the local cloud has no load balancers, write dns: {}")
    }
}

/// An object whose presence is all it says.
public struct EmptyObject: Sendable, Equatable {
    /// Makes the object.
    public init() {}
}

extension EmptyObject: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {}
}

/// Where files are downloaded from.
public struct AssetSource: Sendable, Equatable {
    /// The URL of a tree with the layout of the official release site.
    public var fileRepository: String?
    /// More trees with the same files, tried when the first fails or is slow.
    public var mirrors: [String] = []
    /// Whether machines refuse every address that the generation's lock file does not have.
    public var sealed: Bool?

    /// Makes a source of files.
    public init(fileRepository: String? = nil) { self.fileRepository = fileRepository }
}

extension AssetSource: SpecObject {
    init() { self.init(fileRepository: nil) }

    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("fileRepository", &fileRepository)
        fields.field("mirrors", &mirrors)
        fields.field("sealed", &sealed)
        fields.refuse(
            ["containerRegistry", "containerProxy"],
            remedy: "images are files of the file repository, remove it"
        )
    }
}

/// Who may do what in the cluster.
public struct Authorization: Sendable, Equatable {
    /// By roles; the only way here.
    public var rbac: EmptyObject? = EmptyObject()

    /// Makes authorization by roles.
    public init() {}
}

extension Authorization: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("rbac", &rbac)
        fields.refuse(["alwaysAllow"], remedy: "write rbac: {}")
    }
}

/// Rights of machines in the cloud, which the local cloud does not have; kept as they are.
public struct IAMSpec: Sendable, Equatable {
    /// Whether machines may read a container registry.
    public var allowContainerRegistry: Bool?
    /// Whether machines have the wide rights of old.
    public var legacy: Bool?

    /// Makes rights without any field set.
    public init() {}
}

extension IAMSpec: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("allowContainerRegistry", &allowContainerRegistry)
        fields.field("legacy", &legacy)
        fields.refuse(
            ["useServiceAccountExternalPermissions", "serviceAccountExternalPermissions", "permissionsBoundary"],
            remedy: "remove it"
        )
    }
}

/// The cluster's DNS.
public struct KubeDNSSpec: Sendable, Equatable {
    /// The DNS domain of Services; the same as `clusterDNSDomain`.
    public var domain: String?
    /// How many replicas run.
    public var replicas: Int?
    /// Its Service address.
    public var serverIP: IPv4Address?
    /// Who answers for names outside the cluster.
    public var upstreamNameservers: [String] = []

    /// Makes settings without any field set.
    public init() {}
}

extension KubeDNSSpec: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("domain", &domain)
        fields.fixed("provider", "KubeDNS")
        fields.field("replicas", &replicas)
        fields.field("serverIP", &serverIP)
        fields.field("upstreamNameservers", &upstreamNameservers)
        fields.refuse(
            [
                "affinity", "cacheMaxConcurrent", "cacheMaxSize", "coreDNSImage", "cpaImage", "cpuRequest",
                "externalCoreFile", "image", "memoryLimit", "memoryRequest", "nodeLocalDNS", "stubDomains",
                "tolerations",
            ],
            remedy: "remove it"
        )
    }
}

/// How pods reach each other.
public struct NetworkingSpec: Sendable, Equatable {
    /// A bridge on each machine, and a route to each machine's pods; needs no add-on.
    public var kubenet: EmptyObject? = EmptyObject()

    /// Makes pod networking by bridges and routes.
    public init() {}

    /// Names of pod networks that kops has and this project has not.
    public static let unsupported = [
        "amazonvpc", "calico", "canal", "cilium", "classic", "cni", "external", "flannel", "gcp", "kindnet", "kopeio",
        "kuberouter", "lyftvpc", "romana", "weave",
    ]
}

extension NetworkingSpec: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("kubenet", &kubenet)
        fields.refuse(Self.unsupported, remedy: "supported: kubenet")
    }
}

/// What is reachable from outside.
public struct TopologySpec: Sendable, Equatable {
    /// How names are published.
    public var dns: DNSTopology?

    /// Makes the topology without any field set.
    public init() {}

    /// How names are published; the local cloud keeps them in every machine's hosts file.
    public struct DNSTopology: Sendable, Equatable {
        /// Makes the setting.
        public init() {}
    }
}

extension TopologySpec: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("dns", &dns)
        fields.fixed("masters", "public", written: true)
        fields.fixed("nodes", "public", written: true)
        fields.refuse(["bastion"], remedy: "machines of the local cloud are reached directly, remove it")
    }
}

extension TopologySpec.DNSTopology: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) { fields.fixed("type", "Public", written: true) }
}

/// Where machines stand.
public struct SubnetSpec: Sendable, Equatable {
    /// What instance groups name it by; by custom the zone's name.
    public var name: String = ""
    /// The zone it is in.
    public var zone: String = ""
    /// Its part of the machines' network; `nil` for all of it.
    public var cidr: IPv4CIDR?

    /// Makes a subnet without any field set.
    public init() {}

    /// Makes the subnet of a zone, named as the zone.
    public init(zone: String) {
        self.name = zone
        self.zone = zone
    }
}

extension SubnetSpec: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("cidr", &cidr)
        fields.required("name", &name)
        fields.fixed("type", "Public", written: true)
        fields.required("zone", &zone)
        fields.refuse(
            ["additionalRoutes", "egress", "id", "ipv6CIDR", "publicIP", "region"],
            remedy: "the local cloud has nothing like it, remove it"
        )
    }
}
