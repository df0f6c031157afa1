// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

/// The token of Kubernetes' TLS bootstrap as the store keeps it.
public struct BootstrapToken: Codable, Sendable, Equatable, CustomStringConvertible {
    /// `<id>.<secret>`: 6 and 16 characters of a-z and 0-9.
    public var token: String

    /// Makes a token.
    public init(token: String) { self.token = token }

    /// Never the token.
    public var description: String { "<bootstrap token>" }
}

/// Where one machine's API server answers.
public struct EndpointRecord: Codable, Sendable, Equatable {
    /// An IP address.
    public var address: String
    /// A TCP port.
    public var port: Int
    /// When the machine last said so.
    public var updated: Date

    /// Makes a record from its parts.
    public init(address: String, port: Int, updated: Date) {
        self.address = address
        self.port = port
        self.updated = updated
    }
}

/// The keysets of a cluster.
public enum KeysetName {
    /// Signs everything Kubernetes' components show each other.
    public static let kubernetes = "kubernetes-ca"
    /// Signs what etcd and its clients show each other; one for all etcd clusters, for an API server shows them one
    /// certificate.
    public static let etcdClients = "etcd-clients-ca"
    /// Signs what the members of one etcd cluster show each other.
    public static func etcdPeers(of etcdCluster: String) -> String { "etcd-peers-ca-\(etcdCluster)" }
    /// Signs what the API server shows extension API servers.
    public static let frontProxy = "front-proxy-ca"
    /// Signs service account tokens; a bare key pair.
    public static let serviceAccount = "service-account"

    /// The authorities, whose certificates everyone may read.
    public static let authorities =
        [kubernetes, etcdClients] + EtcdClusterConfig.names.map { etcdPeers(of: $0) } + [frontProxy]
    /// What control-plane machines read with private keys.
    public static let controlPlane = authorities + [serviceAccount]
}
