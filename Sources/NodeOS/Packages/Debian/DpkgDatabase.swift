// SPDX-License-Identifier: Apache-2.0
import Synchronization
import SystemPackage

/// dpkg's records, read again only when their files have changed.
final class DpkgDatabase: Sendable {
    private struct Version: Equatable {
        let status: FileStamp
        let updates: [String]
    }

    private let files = FileTree(root: "/")
    private let directory: FilePath
    private let cache = Mutex<(version: Version, status: DpkgStatus)?>(nil)

    /// Makes a reader of `/var/lib/dpkg` or, in a test, of another directory.
    init(directory: FilePath = "/var/lib/dpkg") { self.directory = directory }

    /// What is recorded now; empty when there is no dpkg.
    func status() throws(Failure) -> DpkgStatus {
        let updates = try pendingUpdates()
        guard let version = try version(updates) else { return DpkgStatus() }
        if let known = cache.withLock({ $0 }), known.version == version { return known.status }
        var status = DpkgStatus()
        status.merge(try files.read(directory.appending("status")))
        for name in updates { status.merge(try files.read(directory.appending("updates").appending(name))) }
        cache.withLock { $0 = (version, status) }
        return status
    }

    /// Whether dpkg was interrupted and has to be resumed before anything else.
    func wasInterrupted() throws(Failure) -> Bool {
        if try !pendingUpdates().isEmpty { return true }
        return try !status().incomplete.isEmpty
    }

    /// dpkg's journal: files named by digits, in order.
    private func pendingUpdates() throws(Failure) -> [String] {
        try files.list(directory.appending("updates")).filter { $0.utf8.allSatisfy { (48...57).contains($0) } }
    }

    private func version(_ updates: [String]) throws(Failure) -> Version? {
        try FileStamp(of: directory.appending("status"), in: files).map { Version(status: $0, updates: updates) }
    }
}
