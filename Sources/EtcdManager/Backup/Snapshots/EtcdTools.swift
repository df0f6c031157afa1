// SPDX-License-Identifier: Apache-2.0
import NodeOS
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

    /// Whether a backup's data is of a release that this one can serve: the same minor or an older one.
    ///
    /// - Throws: ``Failure`` `backup-newer` (permanent), `etcd-version-unsupported` (permanent).
    func requireAtLeast(_ record: BackupRecord) throws {
        guard try EtcdRelease(record.etcdRelease).minor <= EtcdRelease(release).minor else {
            throw Failure(
                .permanent,
                code: "backup-newer",
                "backup \(record.name) was taken of etcd \(record.etcdRelease), and etcd \(release) cannot serve its data",
                hint: "set the etcd cluster's version to \(record.etcdRelease) or later first"
            )
        }
    }
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
