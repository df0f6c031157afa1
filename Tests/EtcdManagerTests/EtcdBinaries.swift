// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc
import NodeOS
import SystemPackage

/// etcd's programs of one release, as `packaging/test-etcd` fetched them.
struct EtcdBinaries: Sendable, Equatable, CustomStringConvertible {
    /// Such as `3.4.23`.
    let version: String
    let directory: FilePath

    var etcd: FilePath { directory.appending("etcd") }
    var etcdctl: FilePath { directory.appending("etcdctl") }
    /// From 3.5 on; it reads and writes data of 3.4 as well.
    var etcdutl: FilePath { directory.appending("etcdutl") }
    var description: String { "etcd \(version)" }

    /// The minor numbers of release 3 that tests run against.
    static let minors = [4, 5]
    /// Why a test that needs them does not run.
    static let remedy = "etcd's programs are not there: run packaging/test-etcd"
    /// Whether a missing program is a failure.
    static var isRequired: Bool { getenv("CI") != nil }
    /// Whether tests that need them are to run.
    static var isEnabled: Bool { isRequired || minors.allSatisfy { (try? EtcdBinaries(minor: $0)) != nil } }

    /// The programs of release 3.`minor`.
    init(minor: Int) throws {
        let cache = ProcessInfo.processInfo.environment["KOPSLITE_CACHE"] ?? "/var/cache/kopslite"
        let etcd = FilePath(cache).appending("etcd")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: etcd.string)) ?? []
        guard let version = names.filter({ $0.hasPrefix("3.\(minor).") && !$0.hasSuffix(".new") }).max() else {
            throw Failure(.permanent, code: "etcd-missing", "there is no etcd 3.\(minor) in \(etcd)", hint: Self.remedy)
        }
        self.version = version
        directory = etcd.appending(version)
    }
}
