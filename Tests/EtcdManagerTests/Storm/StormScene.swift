// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import FoundationEssentials
import NodeOS
import NodeTesting
import StateStore
import Synchronization
import SystemPackage
import Testing

/// What is declared of a cluster under test; it changes while the agents look.
final class StormDeclaration: Sendable {
    private let state: Mutex<(members: [String], binaries: EtcdBinaries)>

    init(_ members: [String], _ binaries: EtcdBinaries) { state = Mutex((members, binaries)) }

    var members: [String] {
        get { state.withLock { $0.members } }
        set { state.withLock { $0.members = newValue } }
    }
    var binaries: EtcdBinaries {
        get { state.withLock { $0.binaries } }
        set { state.withLock { $0.binaries = newValue } }
    }
}

/// Why agents did not do what was declared, by code.
final class StormFailures: Sendable {
    private let codes = Mutex<Set<String>>([])

    func add(_ error: any Error) {
        guard let failure = error as? Failure else { return }
        _ = codes.withLock { $0.insert(failure.code) }
    }
    func contains(_ code: String) -> Bool { codes.withLock { $0.contains(code) } }
}

/// The processes of a real cluster, as an agent starts and ends them.
struct StormEtcd: EtcdSupervisor {
    let cluster: RealEtcdCluster
    let member: String
    let declared: StormDeclaration

    func process() async throws -> LocalSight.Process {
        guard await cluster.isRunning(member) else { return .stopped }
        return .running(isCurrent: await cluster.unit(member)?.version == declared.binaries.version)
    }

    func ensureRunning(_ start: EtcdStart) async throws {
        let binaries = declared.binaries
        guard start.release == binaries.version else {
            throw Failure(.transient, code: "etcd-declaration-changed", "another release is declared by now")
        }
        let isRunning = await cluster.isRunning(member)
        if isRunning, await cluster.unit(member)?.version == binaries.version { return }
        if isRunning { await cluster.stop(member) }
        await cluster.change(member) { unit in
            unit.version = binaries.version
            unit.binary = binaries.etcd
        }
        let data = cluster.directory.appending(member).appending("data")
        try await LiveNode().makeDirectory(data, attributes: FileAttributes(mode: 0o700))
        try await cluster.launch(member, start)
    }

    func stop() async throws { await cluster.stop(member) }
}

/// Agents on a real cluster of three, a store in memory, and a client that writes all the while.
struct StormScene: Sendable {
    static let layout = ClusterLayout(clusterName: "storm.example.com")
    let cluster: RealEtcdCluster
    let declared: StormDeclaration
    let store = MemoryStore()
    let writer = StormWriter()
    let failures = StormFailures()

    var registers: StoreRegisters {
        StoreRegisters(layout: Self.layout, etcdCluster: "main", open: { [store] in store })
    }

    /// Runs agents and a writer around a body.
    static func run(
        _ binaries: EtcdBinaries,
        _ body: @escaping @Sendable (StormScene) async throws -> Void
    ) async throws {
        try await RealEtcdCluster.run(binaries, members: 0) { cluster in
            let scene = StormScene(cluster: cluster, declared: StormDeclaration(["a"], binaries))
            for name in RealEtcdCluster.names(3) { try await cluster.addMember(name, peers: [name]) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in RealEtcdCluster.names(3) { group.addTask { await scene.keep(name) } }
                group.addTask { await scene.writer.run(on: cluster) }
                try await body(scene)
                group.cancelAll()
            }
        }
    }

    /// One machine's agent, look after look.
    private func keep(_ name: String) async {
        let clock = ContinuousClock()
        let start = clock.now
        let volume = MemberVolume(node: LiveNode(), directory: cluster.directory.appending(name), source: .directory)
        var agent = EtcdAgent(
            place: EtcdAgent.Place(
                machine: "machine-\(name)",
                member: name,
                address: "127.0.0.1",
                clientURL: cluster.endpoint(name)
            ),
            holder: name,
            means: EtcdAgent.Means(
                registers: registers,
                host: MemberMachine(
                    volume: volume,
                    supervisor: StormEtcd(cluster: cluster, member: name, declared: declared),
                    names: { _ in },
                    restore: { try await restore($0, $1, into: volume.dataDirectory) }
                ),
                etcd: cluster.gateway,
                backups: backups(name),
                now: { start.duration(to: clock.now) },
                randomID: { "0123456789abcdef0123456789abcdef" }
            )
        )
        while !Task.isCancelled {
            var outlook: EtcdAgent.Outlook?
            do { outlook = try await agent.tick(spec) } catch { failures.add(error) }
            if outlook?.hasAdvanced != true { try? await clock.sleep(for: .milliseconds(200)) }
        }
    }

    private var spec: EtcdSpec {
        let urls = RealEtcdCluster.names(3).map { ($0, cluster.peerURL($0)) }
        return EtcdSpec(
            clusterName: Self.layout.clusterName,
            etcdCluster: "main",
            members: declared.members,
            peerURLs: Dictionary(uniqueKeysWithValues: urls),
            release: declared.binaries.version
        )
    }

    /// Takes a backup now, as an operator would before anything else.
    func backUp() async throws -> BackupName? {
        let members = declared.members.map { BackupMember(name: $0, endpoint: cluster.endpoint($0)) }
        let backups = BackupStore(store: store, layout: Self.layout, etcdCluster: "main")
        return try await taker(backups, "a").take(of: members, source: Self.source, reason: .asked(1)).name
    }

    private func restore(_ backup: String, _ start: EtcdStart, into target: FilePath) async throws {
        let binaries = declared.binaries
        let tools = EtcdTools(
            release: binaries.version,
            etcd: binaries.etcd,
            etcdctl: binaries.etcdctl,
            etcdutl: try EtcdBinaries(minor: 5).etcdutl
        )
        let name = try #require(BackupName(backup))
        try await SnapshotRestore(
            backups: BackupStore(store: store, layout: Self.layout, etcdCluster: "main"),
            node: LiveNode(),
            runner: SubprocessRunner(),
            tools: tools,
            restorer: tools,
            key: nil
        ).restore(
            name,
            of: Self.source,
            as: RestoredMember(
                name: start.member,
                peerURL: start.peers[start.member] ?? "",
                peers: start.peers.map { EtcdUnit.Peer(name: $0.key, url: $0.value) },
                token: start.token
            ),
            into: target
        )
    }

    static let source = BackupSource(
        clusterName: layout.clusterName,
        etcdCluster: "main",
        identity: "0123456789abcdef0123456789abcdef",
        epoch: 1
    )

    private func taker(_ store: BackupStore, _ name: String) -> BackupTaker {
        let binaries = declared.binaries
        return BackupTaker(
            backups: store,
            node: LiveNode(),
            etcd: cluster.gateway,
            runner: SubprocessRunner(),
            tools: EtcdTools(
                release: binaries.version,
                etcd: binaries.etcd,
                etcdctl: binaries.etcdctl,
                etcdutl: nil
            ),
            client: EtcdClientFiles(
                authority: cluster.certificates.authority,
                certificate: cluster.certificates.serverCertificate,
                key: cluster.certificates.serverKey
            ),
            directory: cluster.directory.appending(name)
        )
    }

    private func backups(_ name: String) -> StoreBackups {
        StoreBackups(
            layout: Self.layout,
            etcdCluster: "main",
            open: { [store] in store },
            taker: { taker($0, name) },
            source: { Self.source }
        )
    }

    /// Returns once the record says what is declared, and every member serves in the declared release.
    func untilAsDeclared() async throws {
        while true {
            let record = try await registers.read(.record)?.value
            let statuses = await cluster.gateway.statuses(of: declared.members.map { cluster.endpoint($0) })
            let serve = statuses.values.filter { $0.leader != 0 && $0.version == declared.binaries.version }
            if record?.operation == nil, record?.voters == declared.members, serve.count == declared.members.count {
                return
            }
            try await ContinuousClock().sleep(for: .milliseconds(200))
        }
    }
}
