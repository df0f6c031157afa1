// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import FoundationEssentials
import Glibc
import NodeOS
import NodeTesting
import StateStore
import SystemPackage
import Testing

/// Machines with an agent each, a store in memory, and a client that writes all the while.
struct StormScene: Sendable {
    static let layout = ClusterLayout(clusterName: "storm.example.com")
    let cluster: RealEtcdCluster
    /// The members there may be, each on a machine of its own.
    let names: [String]
    let declared: StormDeclaration
    let store = MemoryStore()
    let writer = StormWriter()
    let credentials: StormCredentials
    let events = StormEvents()

    var registers: StoreRegisters {
        StoreRegisters(layout: Self.layout, etcdCluster: "main", open: { [store] in store })
    }

    /// Runs agents and a writer around a body.
    static func run(
        _ binaries: EtcdBinaries,
        machines: Int = 3,
        _ body: @escaping @Sendable (StormScene) async throws -> Void
    ) async throws {
        try await RealEtcdCluster.run(binaries, members: 0) { cluster in
            let names = RealEtcdCluster.names(machines)
            let scene = StormScene(
                cluster: cluster,
                names: names,
                declared: StormDeclaration(["a"], binaries),
                credentials: StormCredentials(of: cluster)
            )
            for name in names {
                try await cluster.addMember(name, peers: [name])
                try await scene.credentials.follow(name)
                let certificates = scene.credentials.certificates(of: name)
                await cluster.change(name) { $0.certificates = certificates }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in names { group.addTask { await scene.keep(name) } }
                group.addTask { await scene.writer.run(on: cluster, by: names, as: scene.credentials) }
                try await body(scene)
                group.cancelAll()
            }
        }
    }

    /// One machine's agent, look after look, life after life.
    private func keep(_ name: String) async {
        for life in 0... where !Task.isCancelled {
            await withTaskGroup(of: Void.self) { group in
                let (errands, entrance) = AsyncStream.makeStream(of: (@Sendable () async -> Void).self)
                group.addTask { await live(name, life) { entrance.yield($0) } }
                group.addTask { for await errand in errands { await errand() } }
                group.addTask { await events.untilCrash(of: name, after: life) }
                await group.next()
                group.cancelAll()
            }
            if Task.isCancelled { return }
        }
    }

    private func live(_ name: String, _ life: Int, aside: @escaping Aside) async {
        let clock = ContinuousClock()
        var agent = agent(name, life, aside)
        while !Task.isCancelled {
            var outlook: EtcdAgent.Outlook?
            do {
                outlook = try await agent.tick(spec)
            } catch {
                events.failed(error)
            }
            if let outlook { events.saw(outlook, at: name) }
            if outlook?.hasAdvanced != true { try? await clock.sleep(for: .milliseconds(200)) }
        }
    }

    /// Has something done beside a machine's looks.
    private typealias Aside = @Sendable (@escaping @Sendable () async -> Void) -> Void

    private func agent(_ name: String, _ life: Int, _ aside: @escaping Aside) -> EtcdAgent {
        let clock = ContinuousClock()
        let start = clock.now
        let volume = MemberVolume(node: LiveNode(), directory: cluster.directory.appending(name), source: .directory)
        return EtcdAgent(
            place: EtcdAgent.Place(
                machine: "machine-\(name)",
                member: name,
                address: "127.0.0.1",
                clientURL: cluster.endpoint(name)
            ),
            holder: "\(name)-\(life)",
            means: EtcdAgent.Means(
                registers: registers,
                host: MemberMachine(
                    volume: volume,
                    supervisor: etcd(name),
                    names: { _ in },
                    restore: { try await restore($0, $1, into: volume.dataDirectory) }
                ),
                etcd: StormGateway(cluster: cluster, member: name, credentials: credentials),
                backups: backups(
                    name,
                    BackupErrand(now: { start.duration(to: clock.now) }, aside: aside)
                ),
                now: { start.duration(to: clock.now) },
                randomID: { "0123456789abcdef0123456789abcdef" }
            )
        )
    }

    private func etcd(_ name: String) -> StormEtcd {
        StormEtcd(cluster: cluster, member: name, declared: declared, credentials: credentials, events: events)
    }

    /// The members' etcd, as the client reaches it.
    var gateway: EtcdGateway { EtcdGateway(http: cluster.http, identity: credentials.identity) }

    private var spec: EtcdSpec {
        let urls = names.map { ($0, cluster.peerURL($0)) }
        return EtcdSpec(
            clusterName: Self.layout.clusterName,
            etcdCluster: "main",
            members: declared.members,
            peerURLs: Dictionary(uniqueKeysWithValues: urls),
            release: declared.binaries.version
        )
    }

    var backups: BackupStore { BackupStore(store: store, layout: Self.layout, etcdCluster: "main") }

    /// Takes a backup now, as an operator would before anything else.
    func backUp() async throws -> BackupName? {
        let members = declared.members.map { BackupMember(name: $0, endpoint: cluster.endpoint($0)) }
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

    private func backups(_ name: String, _ errand: BackupErrand) -> StoreBackups {
        StoreBackups(
            layout: Self.layout,
            etcdCluster: "main",
            open: { [store] in store },
            errand: errand,
            taker: { taker($0, name) },
            source: { Self.source }
        )
    }

    /// Returns once the record says what is declared, and every member serves as it is declared.
    func untilAsDeclared() async throws {
        while try await !isAsDeclared() { try await ContinuousClock().sleep(for: .milliseconds(200)) }
    }

    private func isAsDeclared() async throws -> Bool {
        let record = try await registers.read(.record)?.value
        guard record?.operation == nil, record?.voters == declared.members else { return false }
        for name in declared.members {
            guard try await etcd(name).process() == .running(isCurrent: true) else { return false }
        }
        let statuses = await gateway.statuses(of: declared.members.map { cluster.endpoint($0) })
        return statuses.values.filter { $0.leader != 0 }.count == declared.members.count
    }

    /// Lets one member become three.
    func growToThree() async throws {
        declared.members = ["a", "b", "c"]
        try await untilAsDeclared()
    }

    /// The members' processes.
    func pids() async -> [String: pid_t] {
        var pids: [String: pid_t] = [:]
        for name in declared.members { pids[name] = await cluster.pid(name) }
        return pids
    }

    /// The keys that a member has.
    func keys(on member: String) async throws -> Set<String> {
        var keys: Set<String> = []
        try await gateway.pages(.prefix("key-"), at: cluster.endpoint(member)) { page in
            keys.formUnion(page.pairs.map { String(decoding: $0.key, as: UTF8.self) })
        }
        return keys
    }

    /// Expects every acknowledged write on every member.
    func expectAllKept(_ location: SourceLocation = #_sourceLocation) async throws {
        let acknowledged = writer.acknowledged
        for name in declared.members {
            let here = try await keys(on: name)
            let missing = acknowledged.filter { !here.contains("key-\($0)") }
            #expect(
                missing.isEmpty,
                "\(missing.count) of \(acknowledged.count) are lost on \(name)",
                sourceLocation: location
            )
        }
        #expect(acknowledged.count > 100, sourceLocation: location)
        print(
            "\(acknowledged.count) writes acknowledged, all kept; no write for \(writer.longestGap) at the longest"
        )
    }
}
