// SPDX-License-Identifier: Apache-2.0

/// A declared etcd cluster.
public struct EtcdClusterSpec: Sendable, Equatable {
    /// `main`, or `events`; without the latter events live in `main` too.
    public var name: String = ""
    /// The etcd release without a leading `v`.
    public var version: String?
    /// Its members: 1, 3 or 5, each on a machine of its own.
    public var etcdMembers: [EtcdMemberSpec] = []

    /// Makes an etcd cluster without any field set.
    public init() {}

    /// Makes an etcd cluster from its parts.
    public init(name: String, version: String? = nil, members: [EtcdMemberSpec]) {
        self.name = name
        self.version = version
        self.etcdMembers = members
    }
}

extension EtcdClusterSpec: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("etcdMembers", &etcdMembers)
        // etcd is always under protokube's care and always speaks TLS, which is what these state.
        fields.fixed("enableEtcdTLS", true)
        fields.fixed("enableTLSAuth", true)
        fields.required("name", &name)
        fields.fixed("provider", "Manager")
        fields.field("version", &version)
        fields.refuse(
            ["cpuRequest", "memoryRequest"],
            remedy: "etcd runs as a service of the machine, not as a pod, remove it"
        )
        fields.refuse(
            ["backups", "heartbeatInterval", "image", "leaderElectionTimeout", "manager"],
            remedy: "remove it"
        )
    }
}

/// A member of an etcd cluster, with the volume that outlives its machine.
public struct EtcdMemberSpec: Sendable, Equatable {
    /// Its name, unique in the etcd cluster, such as `a`.
    public var name: String = ""
    /// The control-plane instance group whose machine runs it.
    public var instanceGroup: String = ""
    /// The volume's size in GiB.
    public var volumeSize: Int?

    /// Makes a member without any field set.
    public init() {}

    /// Makes a member from its parts.
    public init(name: String, instanceGroup: String, volumeSize: Int? = nil) {
        self.name = name
        self.instanceGroup = instanceGroup
        self.volumeSize = volumeSize
    }
}

extension EtcdMemberSpec: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.required("instanceGroup", &instanceGroup)
        fields.required("name", &name)
        fields.field("volumeSize", &volumeSize)
        fields.refuse(
            ["encryptedVolume", "kmsKeyId", "volumeIOPS", "volumeIops", "volumeThroughput", "volumeType"],
            remedy: "volumes of the local cloud have no such setting, remove it"
        )
    }
}
