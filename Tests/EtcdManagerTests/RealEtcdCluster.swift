// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import FoundationEssentials
import Glibc
import NodeOS
import PKI
import SystemPackage

/// A cluster of real etcd processes that speak TLS, each with its own address and directory.
///
/// Addresses are of `127.0.0.0/8`, one a member, so that no port is ever taken by somebody else while a member is down.
/// Members are known by name; whatever happens, their processes and directories go away with ``run(_:members:flags:_:)``.
actor RealEtcdCluster {
    /// Below it, a member's directory has its name, and its log is `<name>.log`.
    nonisolated let directory: FilePath
    /// The certificates, all members' the same.
    nonisolated let certificates: EtcdCertificates
    /// Who has signed them.
    nonisolated let authority: Keyset
    /// The addresses that members and what is beside them may have.
    nonisolated let addresses: [String]
    /// Whom members trust, as PEM.
    nonisolated let authorities: String
    /// Who the client is.
    nonisolated let identity: TLSIdentity
    nonisolated let http = CurlClient()
    nonisolated let gateway: EtcdGateway

    private let binaries: EtcdBinaries
    private let flags: [String]
    private let network: String
    private let launches: AsyncStream<Launch>.Continuation
    private var units: [String: EtcdUnit] = [:]
    /// The members that each begins or joins with.
    private var peers: [String: [String]] = [:]
    private var processes: [String: pid_t] = [:]
    private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]

    private struct Launch {
        let member: String
        let process: EtcdProcess
    }

    /// Runs `body` with a cluster of so many members, `a`, `b`, …, all serving; 0: none yet.
    static func run(
        _ binaries: EtcdBinaries,
        members count: Int = 3,
        flags: [String] = [],
        _ body: @escaping @Sendable (RealEtcdCluster) async throws -> Void
    ) async throws {
        let directory = try await newDirectory()
        let (launches, continuation) = AsyncStream<Launch>.makeStream()
        do {
            let cluster = try await RealEtcdCluster(binaries, flags, in: directory, continuation)
            try await cluster.serve(launches) { cluster in
                let names = Self.names(count)
                for name in names { try await cluster.addMember(name, peers: names) }
                for name in names { try await cluster.launch(name, .new) }
                for name in names { try await cluster.untilHealthy(name) }
                try await body(cluster)
            }
        } catch {
            try? await LiveNode().remove(directory)
            throw error
        }
        try await LiveNode().remove(directory)
    }

    /// A name nobody has; directories of test runs that were killed are removed first.
    private static func newDirectory() async throws -> FilePath {
        let (parent, prefix): (FilePath, String) = ("/tmp", "etcd-test-")
        for name in try await LiveNode().list(parent) where name.hasPrefix(prefix) {
            let pid = name.dropFirst(prefix.count).prefix { $0 != "-" }
            guard let pid = pid_t(pid), Glibc.kill(pid, 0) != 0, errno == ESRCH else { continue }
            try? await LiveNode().remove(parent.appending(name))
        }
        return parent.appending("\(prefix)\(getpid())-\(UInt32.random(in: .min ... .max))")
    }

    static func names(_ count: Int) -> [String] { "abcdefghi".prefix(count).map { String($0) } }

    private init(
        _ binaries: EtcdBinaries,
        _ flags: [String],
        in directory: FilePath,
        _ launches: AsyncStream<Launch>.Continuation
    ) async throws {
        self.binaries = binaries
        self.flags = flags
        self.directory = directory
        self.launches = launches
        network = "127.\(Int.random(in: 1...254)).\(Int.random(in: 0...255))"
        addresses = [network + ".1", "127.0.0.1"] + (2...9).map { [network] in "\(network).\($0)" }
        let pki = try await EtcdTestPKI.make(in: directory.appending("pki"), addresses: addresses)
        authority = pki.authority
        certificates = pki.certificates
        authorities = pki.identity.authorities
        identity = pki.identity
        gateway = EtcdGateway(http: http, identity: pki.identity)
    }

    /// Runs what is launched, around the body.
    private func serve(
        _ launches: AsyncStream<Launch>,
        _ body: @escaping @Sendable (RealEtcdCluster) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await withThrowingDiscardingTaskGroup { processes in
                    for await launch in launches {
                        processes.addTask {
                            try? await launch.process.run { await self.begun(launch.member, $0) }
                            await self.ended(launch.member)
                        }
                    }
                    processes.cancelAll()
                }
                return false
            }
            group.addTask {
                let result: Result<Void, any Error>
                do {
                    result = .success(try await body(self))
                } catch {
                    result = .failure(error)
                }
                // Before their directories are removed.
                for name in await self.units.keys { await self.kill(name) }
                try result.get()
                return true
            }
            defer { group.cancelAll() }
            while try await group.next() == false {}
        }
    }

    // MARK: Members

    /// Where clients reach a member.
    nonisolated func endpoint(_ name: String) -> String { "https://\(address(name)):2379" }
    /// Where peers reach a member.
    nonisolated func peerURL(_ name: String) -> String { "https://\(address(name)):2380" }

    nonisolated func address(_ name: String) -> String {
        "\(network).\((name.utf8.first ?? 0) - UInt8(ascii: "a") + 1)"
    }

    /// What a member is run with.
    func unit(_ name: String) -> EtcdUnit? { units[name] }

    /// Declares a member with an empty directory; `peers` are the members it is to begin or to join with, itself too.
    ///
    /// With other programs than the cluster's it is of another release.
    func addMember(_ name: String, peers: [String], of binaries: EtcdBinaries? = nil) async throws {
        let binaries = binaries ?? self.binaries
        let volume = directory.appending(name)
        let data = volume.appending("data")
        try await LiveNode().remove(data)
        try await LiveNode().makeDirectory(data, attributes: FileAttributes(mode: 0o700))
        self.peers[name] = peers
        units[name] = EtcdUnit(
            etcdCluster: "main",
            version: binaries.version,
            member: name,
            addresses: EtcdUnit.Addresses(
                peerListen: peerURL(name),
                peerURL: peerURL(name),
                clientListen: [endpoint(name)],
                clientURL: endpoint(name)
            ),
            binary: binaries.etcd,
            volume: volume,
            dataDirectory: data,
            certificates: certificates,
            environmentFile: volume.appending("environment")
        )
    }

    /// Changes what a member is run with from its next start on.
    func change(_ name: String, _ change: @Sendable (inout EtcdUnit) -> Void) {
        if var unit = units[name] {
            change(&unit)
            units[name] = unit
        }
    }

    // MARK: Processes

    /// Starts a member's process, and returns without waiting for anything else.
    func launch(_ name: String, _ state: EtcdUnit.ClusterState = .existing) async throws {
        let urls = (peers[name] ?? []).map { ($0, peerURL($0)) }
        try await launch(
            name,
            EtcdStart(state: state, token: "test", member: name, peers: Dictionary(uniqueKeysWithValues: urls))
        )
    }

    /// Starts a member's process to begin or to join just this, and returns without waiting for anything else.
    func launch(_ name: String, _ start: EtcdStart) async throws {
        guard let unit = units[name], processes[name] == nil else {
            throw Failure(.permanent, code: "etcd-not-launched", "\(name) is not declared, or runs already")
        }
        let process = EtcdProcess(
            command: [unit.binary.string] + (try unit.arguments()) + flags,
            environment: Dictionary(uniqueKeysWithValues: EtcdUnit.environment(start).map { ($0.name, $0.value) }),
            log: directory.appending("\(name).log")
        )
        processes[name] = 0
        launches.yield(Launch(member: name, process: process))
        while processes[name] == 0 { await withCheckedContinuation { waiting[name, default: []].append($0) } }
        if processes[name] == nil { throw hasEnded(name) }
    }

    /// Starts a member and returns once it serves with a quorum.
    func start(_ name: String, _ state: EtcdUnit.ClusterState = .existing) async throws {
        try await launch(name, state)
        try await untilHealthy(name)
    }

    /// Ends a member as a power cut would.
    func kill(_ name: String) async { await end(name, SIGKILL) }
    /// Ends a member as systemd does.
    func stop(_ name: String) async { await end(name, SIGTERM) }
    /// Lets a member's process stand still, its connections open.
    func freeze(_ name: String) { signal(name, SIGSTOP) }
    /// Lets it go on.
    func thaw(_ name: String) { signal(name, SIGCONT) }
    /// Whether a member's process is there.
    func isRunning(_ name: String) -> Bool { processes[name] != nil }
    /// A member's process; `nil` when there is none.
    func pid(_ name: String) -> pid_t? { processes[name] }

    private func end(_ name: String, _ number: Int32) async {
        signal(name, number)
        while processes[name] != nil { await withCheckedContinuation { waiting[name, default: []].append($0) } }
    }

    private func signal(_ name: String, _ number: Int32) {
        if let pid = processes[name], pid > 0 { Glibc.kill(pid, number) }
    }

    private func begun(_ name: String, _ pid: pid_t) {
        processes[name] = pid
        wake(name)
    }

    private func ended(_ name: String) {
        processes[name] = nil
        wake(name)
    }

    private func wake(_ name: String) {
        for continuation in waiting.removeValue(forKey: name) ?? [] { continuation.resume() }
    }

    // MARK: Waiting

    /// Returns once a member answers for itself, also without a quorum or a vote.
    ///
    /// - Throws: ``Failure`` `etcd-ended` when its process ends first.
    func untilServing(_ name: String) async throws {
        try await until(name) { cluster in
            _ = try await cluster.gateway.status(of: cluster.endpoint(name))
            return true
        }
    }

    /// Returns once a member serves with a quorum.
    ///
    /// - Throws: ``Failure`` `etcd-ended` when its process ends first.
    func untilHealthy(_ name: String) async throws {
        try await until(name) { try await $0.gateway.isHealthy($0.endpoint(name)) }
    }

    private func until(_ name: String, _ condition: (RealEtcdCluster) async throws -> Bool) async throws {
        while processes[name] != nil {
            do {
                if try await condition(self) { return }
            } catch is EtcdError {}
            try await ContinuousClock().sleep(for: .milliseconds(50))
        }
        throw hasEnded(name)
    }

    /// With the end of what it said.
    private func hasEnded(_ name: String) -> Failure {
        let log = try? String(contentsOfFile: directory.appending("\(name).log").string, encoding: .utf8)
        let lines = (log ?? "").split(separator: "\n").suffix(5).joined(separator: "\n")
        return Failure(.permanent, code: "etcd-ended", "etcd \(name) ended by itself: \(lines)")
    }
}
