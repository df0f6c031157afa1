// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import FoundationEssentials
import Glibc
import KopsModel
import NodeOS
import StateStore
import Synchronization
import SystemPackage
import Testing

/// Machines that run `protokube etcd run`: real programs on addresses of the loopback, beside one store in a directory.
final class MachineCluster: Sendable {
    static let remedy = "systemd runs here, or etcd's programs are not there: run packaging/test-etcd"
    /// etcd's programs of release 3.`minor`; `nil` where they were not fetched.
    static func programs(_ minor: Int) -> FilePath? {
        let cache = ProcessInfo.processInfo.environment["KOPSLITE_CACHE"] ?? "/var/cache/kopslite"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: cache + "/etcd")) ?? []
        return names.filter { $0.hasPrefix("3.\(minor).") && !$0.hasSuffix(".new") }.max()
            .map { FilePath(cache).appending("etcd").appending($0) }
    }
    /// Under systemd members are units, of which one machine has one; several are for where there is none.
    static var isEnabled: Bool {
        access("/run/systemd/system", F_OK) != 0
            && (getenv("CI") != nil || (programs(4) != nil && programs(5) != nil))
    }

    /// The program that these tests are linked beside.
    private static let program = FilePath(CommandLine.arguments[0]).removingLastComponent().appending("protokube")

    let directory: FilePath
    let gateway = EtcdGateway(http: CurlClient(), identity: nil)
    private let network: String
    private let running = Mutex<[String: ChildProcess]>([:])

    private init(_ directory: FilePath) {
        self.directory = directory
        network = "127.\(Int.random(in: 1...254)).\(Int.random(in: 0...255))"
    }

    /// Runs a body with machines, which have all ended afterwards.
    static func run(_ body: @Sendable (MachineCluster) async throws -> Void) async throws {
        let node = LiveNode()
        let cluster = MachineCluster(FilePath("/tmp/etcd-machines-\(getpid())-\(UInt32.random(in: 0 ... 999_999))"))
        try await node.makeDirectory(cluster.directory, attributes: FileAttributes(mode: 0o700))
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(cluster))
        } catch {
            result = .failure(error)
        }
        await cluster.endAll()
        try await node.remove(cluster.directory)
        // What programs note of themselves is where they have it on any machine.
        for name in ["a", "b", "c", "d", "e"] {
            try await node.remove(FilePath("/var/lib/kopslite/etcd-main-\(name)-status.json"))
        }
        try result.get()
    }

    // MARK: Declaration

    func clientURL(_ name: String) -> String { "http://\(network).\(number(name)):2379" }
    private func number(_ name: String) -> Int { Int(name.utf8.first ?? 0) - 0x60 }
    func volume(_ name: String) -> FilePath { directory.appending(name) }
    func config(_ name: String) -> FilePath { directory.appending("\(name).json") }
    func log(_ name: String) -> String {
        (try? String(contentsOfFile: directory.appending("\(name).log").string, encoding: .utf8)) ?? ""
    }

    /// What a machine is told.
    func machine(_ name: String, of members: [String], minor: Int = 5) throws -> EtcdMachine {
        let programs = try #require(Self.programs(minor), "\(Self.remedy)")
        var machine = EtcdMachine()
        machine.cluster = "db.example.com"
        machine.member = name
        machine.machine = "machine-\(name)"
        machine.store = "file://\(directory)/store"
        machine.etcd.version = programs.lastComponent?.string ?? ""
        machine.etcd.directory = programs.string
        machine.volume.directory = volume(name).string
        machine.members = ["a", "b", "c", "d", "e"].map { name in
            var member = EtcdMachine.Member()
            member.name = name
            member.peerURL = "http://\(network).\(number(name)):2380"
            member.clientURL = clientURL(name)
            member.isPresent = members.contains(name)
            return member
        }
        return machine
    }

    /// Writes what machines are told.
    func declare(_ members: [String], on machines: [String], minor: Int = 5) async throws {
        for name in machines { try await write(machine(name, of: members, minor: minor)) }
    }

    func write(_ machine: EtcdMachine) async throws {
        let attributes = FileAttributes(mode: 0o600)
        try await LiveNode().write(machine.document.encoded(), to: config(machine.member), attributes: attributes)
    }

    /// Puts the programs of a release into the directory `bin`, as a package manager does; etcdutl is of the newest.
    func install(minor: Int) async throws {
        let (node, bin) = (LiveNode(), directory.appending("bin"))
        try await node.makeDirectory(bin, attributes: FileAttributes(mode: 0o755))
        for (name, minor) in [("etcd", minor), ("etcdctl", minor), ("etcdutl", 5)] {
            let source = try #require(Self.programs(minor), "\(Self.remedy)").appending(name)
            try await node.install(
                source,
                sha256: try await node.sha256(of: source),
                to: bin.appending(name),
                attributes: FileAttributes(mode: 0o755)
            )
        }
    }

    /// Installs a release, and declares it on the only machine.
    func declareInstalled(minor: Int) async throws {
        try await install(minor: minor)
        var machine = try machine("a", of: ["a"], minor: minor)
        machine.etcd.directory = directory.appending("bin").string
        try await write(machine)
    }

    // MARK: Processes

    /// Starts a machine's program.
    func start(_ name: String) async throws { try await start(name, []) }

    /// Runs a machine's program until everything is true or something failed; whether everything is.
    func once(_ name: String) async throws -> Bool {
        try await start(name, ["--once"])
        return await running.withLock { $0[name] }?.end() == 0
    }

    private func start(_ name: String, _ flags: [String]) async throws {
        let process = try await ChildProcess.start(
            Self.program,
            ["etcd", "run", "--config", config(name).string] + flags,
            environment: [:],
            log: directory.appending("\(name).log")
        )
        running.withLock { $0[name] = process }
    }

    /// Ends a machine's program as a power cut would, and returns once its etcd has ended as well.
    func kill(_ name: String) async throws {
        let process = running.withLock { $0.removeValue(forKey: name) }
        process?.signal(SIGKILL)
        _ = await process?.end()
        try await until("etcd of \(name) to end") { _ in await self.etcd(name) == nil }
    }

    /// Ends a machine's program as a service manager does.
    func stop(_ name: String) async {
        await running.withLock { $0.removeValue(forKey: name) }?.end(within: .seconds(60))
    }

    private func endAll() async {
        for process in running.withLock({ Array($0.values) }) { await process.end(within: .seconds(60)) }
    }

    /// The number of a member's etcd.
    func etcd(_ name: String) async -> pid_t? {
        let flag = "--data-dir=\(volume(name))/data"
        for number in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = pid_t(number), let line = try? await LiveNode().read(FilePath("/proc/\(pid)/cmdline")),
                line.split(separator: 0).contains(where: { String(decoding: $0, as: UTF8.self) == flag })
            else { continue }
            return pid
        }
        return nil
    }

    // MARK: What is so

    var registers: StoreRegisters {
        let layout = ClusterLayout(clusterName: "db.example.com")
        return StoreRegisters(
            layout: layout,
            etcdCluster: "main",
            open: { try FileStore(url: "file://\(self.directory)/store") }
        )
    }

    /// Which releases the data on a member's volume may be of, as the volume says.
    func release(notedOn name: String) async throws -> ReleaseRange? {
        let note = try await LiveNode().read(volume(name).appending(MemberVolume.noteFile))
        return try VolumeNote(decoding: note).releases
    }

    /// A backup that is asked for now.
    func backUp() async throws -> BackupName {
        let number = try await RequestedBackups(registers: registers).ask()
        try await until("a backup") { try await ($0.registers.read(.backupRequest)?.value.answered ?? 0) >= number }
        return try #require(try await registers.read(.backupRequest)?.value.backup)
    }

    /// Returns once a condition holds.
    func until(_ what: String, _ condition: (MachineCluster) async throws -> Bool) async throws {
        while try await !condition(self) { try await ContinuousClock().sleep(for: .milliseconds(100)) }
    }

    /// A key's value, as a member has it.
    func value(of key: String, on name: String) async throws -> String? {
        let page = try await gateway.range(EtcdRange(key: Array(key.utf8)), at: clientURL(name))
        return page.pairs.first.map { String(decoding: $0.value, as: UTF8.self) }
    }

    /// Returns once these are the members by the record and by etcd, and all serve.
    func untilMembers(_ members: [String], minor: Int = 5) async throws {
        try await until("members \(members)") { cluster in
            guard let record = try? await registers.read(.record)?.value, record.operation == nil,
                record.voters == members, record.members.count == members.count
            else { return false }
            let statuses = await gateway.statuses(of: members.map(clientURL))
            guard statuses.count == members.count, statuses.values.allSatisfy({ $0.leader != 0 }) else { return false }
            return statuses.values.allSatisfy { $0.version.hasPrefix("3.\(minor).") }
        }
    }
}
