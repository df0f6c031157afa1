// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// The files by which etcd is known and knows others, all PEM.
public struct EtcdCertificates: Sendable, Equatable {
    /// Whom etcd trusts among clients.
    public var authority: FilePath
    /// Whom etcd trusts among peers.
    public var peerAuthority: FilePath
    /// What etcd shows clients.
    public var serverCertificate: FilePath
    /// The key to it.
    public var serverKey: FilePath
    /// What etcd shows peers, as server and as client.
    public var peerCertificate: FilePath
    /// The key to it.
    public var peerKey: FilePath

    /// Makes the set from its parts.
    public init(
        authority: FilePath,
        peerAuthority: FilePath,
        serverCertificate: FilePath,
        serverKey: FilePath,
        peerCertificate: FilePath,
        peerKey: FilePath
    ) {
        self.authority = authority
        self.peerAuthority = peerAuthority
        self.serverCertificate = serverCertificate
        self.serverKey = serverKey
        self.peerCertificate = peerCertificate
        self.peerKey = peerKey
    }

    /// The set in one directory under kubeadm's names: `ca.crt`, `server.crt`, `server.key`, `peer.crt`, `peer.key`, and
    /// `peer-ca.crt`.
    public init(in directory: FilePath) {
        self.init(
            authority: directory.appending("ca.crt"),
            peerAuthority: directory.appending("peer-ca.crt"),
            serverCertificate: directory.appending("server.crt"),
            serverKey: directory.appending("server.key"),
            peerCertificate: directory.appending("peer.crt"),
            peerKey: directory.appending("peer.key")
        )
    }

    /// By which etcd speaks TLS with its clients, and asks them who they are.
    var clientFlags: [String] {
        [
            "--client-cert-auth=true",
            "--trusted-ca-file=\(authority)",
            "--cert-file=\(serverCertificate)",
            "--key-file=\(serverKey)",
        ]
    }

    /// By which members speak TLS with each other, and ask each other who they are.
    var peerFlags: [String] {
        [
            "--peer-client-cert-auth=true",
            "--peer-trusted-ca-file=\(peerAuthority)",
            "--peer-cert-file=\(peerCertificate)",
            "--peer-key-file=\(peerKey)",
        ]
    }

    /// What etcd reads once, when it starts.
    var authorities: [FilePath] { [authority, peerAuthority] }

    /// Every file, with whether it is secret, in a fixed order.
    var files: [(path: FilePath, isSecret: Bool)] {
        [
            (authority, false), (peerAuthority, false), (serverCertificate, false), (serverKey, true),
            (peerCertificate, false), (peerKey, true),
        ]
    }
}
