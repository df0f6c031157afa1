// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

/// The control plane's own part of a node's configuration.
public struct ControlPlaneConfig: Codable, Sendable, Equatable {
    /// The etcd clusters, `main` first; every control-plane machine runs one member of each.
    public var etcdClusters: [EtcdClusterConfig]
    /// Names and addresses the API server's certificate is valid for beyond the built-in ones.
    public var apiServerNames: [String]
    /// The keys of the generation's add-on objects, in the order they are applied.
    public var addons: [String]

    /// Makes a control plane's part from its parts.
    public init(etcdClusters: [EtcdClusterConfig], apiServerNames: [String], addons: [String]) {
        self.etcdClusters = etcdClusters
        self.apiServerNames = apiServerNames
        self.addons = addons
    }

    /// The etcd cluster of a name.
    public func etcd(_ name: String) -> EtcdClusterConfig? { etcdClusters.first { $0.name == name } }
}

/// An etcd cluster as its machines are told of it; which member a machine runs, its volume's label says.
public struct EtcdClusterConfig: Codable, Sendable, Equatable {
    /// `main` or `events`.
    public var name: String
    /// The etcd release without a leading `v`, such as `3.4.23`.
    public var version: String
    /// The label by which protokube finds the member's volume, such as `k8s.io/etcd/main`.
    public var volumeLabel: String
    /// The names of all members, in the order of their declaration.
    public var members: [String]
    /// The TCP port of its clients.
    public var clientPort: Int
    /// The TCP port of the members among themselves.
    public var peerPort: Int
    /// Whose keys open its backups; `nil`: they are not sealed.
    ///
    /// - An empty list lets no backup be taken.
    public var backupRecipients: [BackupRecipient]?

    /// Makes an etcd cluster from its parts; label and ports follow from the name.
    public init(name: String, version: String, members: [String]) {
        self.name = name
        self.version = version
        self.members = members
        volumeLabel = Self.volumeLabel(of: name)
        (clientPort, peerPort) = Self.ports(of: name)
    }

    /// The etcd clusters there may be; the first is the one nothing works without.
    public static let names = ["main", "events"]

    /// The label a member's volume carries, its value being `<member>/<all members>`.
    ///
    /// - Source: kops' tags of etcd volumes.
    public static func volumeLabel(of name: String) -> String { "k8s.io/etcd/\(name)" }

    /// The name that stands for a member, whatever machine its volume is attached to.
    public func peerHost(of member: String, in clusterName: String) -> String {
        "\(member).etcd-\(name).internal.\(clusterName)"
    }

    /// The ports of an etcd cluster on each of its machines.
    ///
    /// - Differs: kops has 4001 and 2380 for `main`, 4002 and 2381 for `events`. Here `main` has the two that are etcd's by
    ///   assignment (IANA), as the other tools of etcd expect; 2381 stays free for etcd's metrics, where kubeadm has them.
    private static func ports(of name: String) -> (client: Int, peer: Int) {
        name == "events" ? (2382, 2383) : (2379, 2380)
    }
}

/// A key that backups are sealed to.
public struct BackupRecipient: Codable, Sendable, Equatable {
    /// Who has the other half, such as `admin`.
    public var reader: String
    /// X25519 (RFC 7748), 32 bytes, in Base64.
    public var publicKey: Data

    /// Makes a recipient from its parts.
    public init(reader: String, publicKey: Data) {
        self.reader = reader
        self.publicKey = publicKey
    }
}
