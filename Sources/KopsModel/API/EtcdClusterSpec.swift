// SPDX-License-Identifier: Apache-2.0

/// A declared etcd cluster.
public struct EtcdClusterSpec: Sendable, Equatable {
    /// `main`, or `events`; without the latter events live in `main` too.
    public var name: String = ""
    /// The etcd release without a leading `v`.
    public var version: String?
    /// Its members: 1, 3 or 5, each on a machine of its own.
    public var etcdMembers: [EtcdMemberSpec] = []
    /// How it is backed up.
    public var backups: EtcdBackupSpec?

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
        fields.field("backups", &backups)
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
            ["heartbeatInterval", "image", "leaderElectionTimeout", "manager"],
            remedy: "remove it"
        )
    }
}

/// How an etcd cluster is backed up; that it is, nobody can change.
public struct EtcdBackupSpec: Sendable, Equatable {
    /// Where backups are kept: in the state store, which this may state.
    public var backupStore: String?
    /// Whether whoever reads the state store cannot read backups: they are sealed to the operators' key and to that of
    /// control-plane machines, which try and restore them.
    ///
    /// - Differs: kops has no such field.
    public var encrypted: Bool?

    /// Makes backups without any field set.
    public init() {}
}

extension EtcdBackupSpec: SpecObject {
    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("backupStore", &backupStore)
        fields.field("encrypted", &encrypted)
        fields.refuse(["image"], remedy: "protokube takes the backups, no container does, remove it")
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
