// SPDX-License-Identifier: Apache-2.0

/// A declared set of equal machines, `kind: InstanceGroup` of kops' API.
public struct InstanceGroup: Sendable, Equatable {
    /// Its name, and the label of its cluster.
    public var metadata: ObjectMeta
    /// What was declared.
    public var spec: InstanceGroupSpec

    /// Makes a group from its parts.
    public init(metadata: ObjectMeta, spec: InstanceGroupSpec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// Makes a group of a cluster.
    public init(name: String, cluster: String, spec: InstanceGroupSpec) {
        self.init(metadata: ObjectMeta(name: name, labels: [ObjectMeta.clusterLabel: cluster]), spec: spec)
    }

    /// Reads a document such as the one in the store.
    ///
    /// - Throws: ``SpecError`` with everything that is wrong with it.
    public init(document: JSONValue) throws(SpecError) {
        guard case .instanceGroup(let group) = try APIObject(document: document) else {
            throw SpecError(subject: "document", problems: [SpecProblem(SpecPath("kind"), "must be \(Self.kind)")])
        }
        self = group
    }

    /// The object as it is stored and shown.
    public var document: JSONValue { encoded }
}

extension InstanceGroup: TopLevelObject {
    static var kind: String { "InstanceGroup" }
    init() { self.init(metadata: ObjectMeta(), spec: InstanceGroupSpec()) }
}

/// What a person declares of a set of machines.
public struct InstanceGroupSpec: Sendable, Equatable {
    /// Labels for the machines in the cloud.
    public var cloudLabels: [String: String] = [:]
    /// The machines' image; the local cloud has one image and keeps the name as it is.
    public var image: String?
    /// Kubelet flags over those of the cluster.
    public var kubelet: [String: FlagValue] = [:]
    /// The machines' size; the local cloud keeps the name as it is.
    public var machineType: String?
    /// How many machines at most.
    public var maxSize: Int?
    /// How many machines at least; the local cloud runs this many.
    public var minSize: Int?
    /// Labels kubelet registers its node with.
    public var nodeLabels: [String: String] = [:]
    /// Operating system packages beyond the cluster's.
    public var packages: [String] = []
    /// What the machines do.
    public var role: SpecRole = SpecRole(.node)
    /// The root volume's size in GiB; the local cloud keeps it as it is.
    public var rootVolumeSize: Int?
    /// The subnets machines are dealt to, in turn; empty for all.
    public var subnets: [String] = []
    /// Kernel settings over the cluster's, each `key=value`.
    public var sysctlParameters: [SysctlSetting] = []
    /// Taints kubelet registers its node with, each `key=value:Effect`.
    public var taints: [String] = []
    /// Zones instead of subnets.
    public var zones: [String] = []

    /// Makes a specification without any field set.
    public init() {}

    /// Makes a specification of a number of machines.
    public init(role: InstanceRole, size: Int, subnets: [String]) {
        self.role = SpecRole(role)
        self.minSize = size
        self.maxSize = size
        self.subnets = subnets
    }
}

extension InstanceGroupSpec: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("cloudLabels", &cloudLabels)
        fields.field("image", &image)
        fields.flags("kubelet", of: .kubelet, &kubelet)
        fields.field("machineType", &machineType)
        fields.fixed("manager", "CloudGroup")
        fields.field("maxSize", &maxSize)
        fields.field("minSize", &minSize)
        fields.field("nodeLabels", &nodeLabels)
        fields.field("packages", &packages)
        fields.required("role", &role, remedy: "write ControlPlane or Node")
        fields.field("rootVolumeSize", &rootVolumeSize)
        fields.field("subnets", &subnets)
        fields.field("sysctlParameters", &sysctlParameters)
        fields.field("taints", &taints)
        fields.field("zones", &zones)
        fields.refuse(
            ["additionalUserData", "fileAssets", "hooks"],
            remedy: "install what machines need with packages, or bake it into their image"
        )
        fields.refuse(
            [
                "additionalSecurityGroups", "associatePublicIp", "autoscale", "autoscalePriority", "capacityRebalance",
                "compressUserData", "containerd", "cpuCredits", "detailedInstanceMonitoring", "externalLoadBalancers",
                "gcpProvisioningModel", "guestAccelerators", "iam", "instanceInterruptionBehavior",
                "instanceMetadata", "instanceProtection", "maxInstanceLifetime", "maxPrice", "mixedInstancesPolicy",
                "rollingUpdate", "rootVolumeDeleteOnTermination", "rootVolumeEncryption", "rootVolumeIOPS",
                "rootVolumeIops", "rootVolumeOptimization", "rootVolumeThroughput", "rootVolumeType",
                "securityGroupOverride", "spotDurationInMinutes", "suspendProcesses", "tenancy", "updatePolicy",
                "volumeMounts", "volumes", "warmPool",
            ],
            remedy: "the local cloud has nothing like it, remove it"
        )
    }
}
