// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// The programs of one release of etcd on this machine.
public struct EtcdTools: Sendable, Equatable {
    /// Which release, such as `3.4.23`.
    public var release: String
    /// The server.
    public var etcd: FilePath
    /// The client.
    public var etcdctl: FilePath
    /// What works on files; `nil` before 3.5, where etcdctl does.
    public var etcdutl: FilePath?

    /// Makes a set from its parts.
    public init(release: String, etcd: FilePath, etcdctl: FilePath, etcdutl: FilePath?) {
        self.release = release
        self.etcd = etcd
        self.etcdctl = etcdctl
        self.etcdutl = etcdutl
    }

    /// What reads and restores snapshots.
    var files: FilePath { etcdutl ?? etcdctl }
}

/// The files by which etcd knows its client, all PEM.
public struct EtcdClientFiles: Sendable, Equatable {
    /// Whom the client trusts.
    public var authority: FilePath
    /// What it shows.
    public var certificate: FilePath
    /// The key to it.
    public var key: FilePath

    /// Makes a set from its parts.
    public init(authority: FilePath, certificate: FilePath, key: FilePath) {
        self.authority = authority
        self.certificate = certificate
        self.key = key
    }

    /// Names of files only: what is in them never shows in a list of processes.
    var flags: [String] { ["--cacert=\(authority)", "--cert=\(certificate)", "--key=\(key)"] }
}
