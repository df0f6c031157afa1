// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc
import NodeOS
import SystemPackage

@testable import EtcdManager

/// A real etcd whose data is backed up, and the releases of it that are installed for tests.
struct SourceEtcd: Sendable {
    let tools: EtcdTools
    let directory: FilePath
    let ports: [UInt16]

    /// Below `$KOPSLITE_CACHE/etcd`, as `packaging/test-etcd` lays them.
    static let releases: [EtcdTools] = {
        let root = FilePath(getenv("KOPSLITE_CACHE").map { String(cString: $0) } ?? "/var/cache/kopslite").appending(
            "etcd"
        )
        let names = (try? LiveFiles.names(in: root)) ?? []
        return names.filter { (try? EtcdRelease($0)) != nil }.sorted().compactMap { name in
            let folder = root.appending(name)
            func program(_ name: String) -> FilePath? {
                let path = folder.appending(name)
                return access(path.string, X_OK) == 0 ? path : nil
            }
            guard let etcd = program("etcd"), let etcdctl = program("etcdctl") else { return nil }
            return EtcdTools(release: name, etcd: etcd, etcdctl: etcdctl, etcdutl: program("etcdutl"))
        }
    }()
    /// What can move revisions.
    static var restorer: EtcdTools? { releases.last { $0.etcdutl != nil } }
    static var isThere: Bool { restorer != nil || getenv("CI") != nil }

    init(_ tools: EtcdTools, in directory: FilePath) throws {
        self.tools = tools
        self.directory = directory
        ports = try [Self.freePort(), Self.freePort()]
    }

    var endpoint: String { "http://127.0.0.1:\(ports[0])" }
    var peerURL: String { "http://127.0.0.1:\(ports[1])" }
    var commands: EtcdCommands {
        EtcdCommands(runner: SubprocessRunner(), tools: tools, endpoint: endpoint, limit: .seconds(60))
    }

    /// Runs etcd around the body, which starts once etcd answers.
    func running<Value: Sendable>(
        token: String = "etcd-cluster",
        _ body: @escaping @Sendable (SourceEtcd) async throws -> Value
    ) async throws -> Value {
        let arguments = [
            "--data-dir=\(directory)", "--name=a", "--listen-client-urls=\(endpoint)",
            "--advertise-client-urls=\(endpoint)", "--listen-peer-urls=\(peerURL)",
            "--initial-advertise-peer-urls=\(peerURL)", "--initial-cluster=a=\(peerURL)",
            "--initial-cluster-token=\(token)",
        ]
        let command = Command("timeout", ["120", tools.etcd.string] + arguments, outputLimit: 1 << 26)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                let result = try await SubprocessRunner().result(of: command)
                throw command.failure(result, code: "etcd-ended", .permanent)
            }
            group.addTask {
                _ = try await commands.data(at: 0)
                return try await body(self)
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next(), let value = answer else { throw CancellationError() }
            return value
        }
    }

    @discardableResult
    func etcdctl(_ arguments: String...) async throws -> String {
        try await commands.run(tools.etcdctl, ["--endpoints=\(endpoint)"] + arguments, failing: "etcdctl-failed")
    }

    /// A port that nobody listens on just now.
    private static func freePort() throws -> UInt16 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 ? getsockname(socket, $0, &length) : -1
            }
        }
        guard socket >= 0, result == 0 else { throw Errno(rawValue: errno) }
        return UInt16(bigEndian: address.sin_port)
    }
}

private enum LiveFiles {
    static func names(in directory: FilePath) throws -> [String] {
        guard let stream = opendir(directory.string) else { throw Errno(rawValue: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
            )
        }
        return names
    }
}

/// Members that say what they are told to.
struct ToldMembers: EtcdAPI {
    struct Unasked: Error {}
    var statuses: [String: EtcdStatus] = [:]

    func status(of endpoint: String) async throws -> EtcdStatus {
        guard let status = statuses[endpoint] else {
            throw EtcdError.unreachable(endpoint: endpoint, reason: "connection refused")
        }
        return status
    }
    func members(at endpoint: String) async throws -> EtcdMembers { throw Unasked() }
    func addLearner(peerURL: String, at endpoint: String) async throws -> EtcdMember { throw Unasked() }
    func promote(_ id: UInt64, at endpoint: String) async throws { throw Unasked() }
    func remove(_ id: UInt64, at endpoint: String) async throws { throw Unasked() }
    func update(_ id: UInt64, peerURL: String, at endpoint: String) async throws { throw Unasked() }
}
