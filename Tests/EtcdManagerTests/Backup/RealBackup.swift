// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import StateStore
import SystemPackage

@testable import EtcdManager

/// A real etcd with some data, and everything that backs it up.
struct RealBackup: Sendable {
    let scene: BackupScene
    let source: SourceEtcd
    let revision: Int64
    var backups: BackupStore {
        BackupStore(store: scene.memory, layout: BackupScene.layout, etcdCluster: "main", chunkSize: 8000)
    }

    static func run(
        _ release: String,
        filled: Bool = true,
        _ body: @escaping @Sendable (RealBackup) async throws -> Void
    ) async throws {
        guard let tools = SourceEtcd.releases.first(where: { $0.release == release }) else {
            throw Failure(.permanent, code: "etcd-missing", "etcd \(release) is not installed for tests")
        }
        try await BackupScene.run { scene in
            let source = try SourceEtcd(tools, in: scene.directory.appending("source"))
            try await source.running { etcd in
                if filled { try await fill(etcd) }
                let revision = try await etcd.commands.data(at: 0).revision
                try await body(RealBackup(scene: scene, source: etcd, revision: revision))
            }
        }
    }

    private static func fill(_ etcd: SourceEtcd) async throws {
        for index in 0..<12 { try await etcd.etcdctl("put", "/k/\(index)", "first") }
        for index in 0..<8 { try await etcd.etcdctl("put", "/k/\(index)", "second") }
        try await etcd.etcdctl("compaction", "10")
        try await etcd.etcdctl("del", "/k/0")
        try await etcd.etcdctl("put", "/registry/masterleases/10.0.0.1", "lease")
    }

    func take(
        sealedTo recipients: [RecipientKey] = [],
        in directory: FilePath? = nil,
        space: FreeSpace = FreeSpace(reserve: 0)
    ) async throws -> BackupRecord {
        let status = EtcdStatus(
            version: source.tools.release,
            clusterID: 1,
            memberID: 2,
            leader: 2,
            revision: revision,
            raftIndex: 1,
            raftAppliedIndex: 1,
            databaseSize: 20_480
        )
        return try await BackupTaker(
            backups: backups,
            node: LiveNode(),
            etcd: ToldMembers(statuses: [source.endpoint: status]),
            runner: SubprocessRunner(),
            tools: source.tools,
            client: nil,
            directory: directory ?? scene.directory,
            space: space,
            recipients: recipients,
            now: { BackupScene.now }
        ).take(
            of: [BackupMember(name: "a", endpoint: source.endpoint)],
            source: BackupScene.source,
            reason: .scheduled
        )
    }

    func prover(
        key: ReaderKey? = nil,
        tools: EtcdTools? = nil,
        in directory: FilePath? = nil,
        runner: any CommandRunner = SubprocessRunner(),
        space: FreeSpace = FreeSpace(reserve: 0)
    ) -> BackupProver {
        BackupProver(
            backups: backups,
            node: LiveNode(),
            runner: runner,
            tools: tools ?? source.tools,
            key: key,
            directory: directory ?? scene.directory,
            space: space,
            limit: .seconds(60)
        )
    }

    func restore(
        _ name: BackupName,
        into target: FilePath,
        of identity: BackupSource = BackupScene.source,
        tools: EtcdTools? = nil,
        restorer: EtcdTools? = nil,
        key: ReaderKey? = nil,
        space: FreeSpace = FreeSpace(reserve: 0)
    ) async throws {
        guard let installed = SourceEtcd.restorer else {
            throw Failure(.permanent, code: "etcd-missing", "no etcdutl is installed for tests")
        }
        try await SnapshotRestore(
            backups: backups,
            node: LiveNode(),
            runner: SubprocessRunner(),
            tools: tools ?? source.tools,
            restorer: restorer ?? installed,
            key: key,
            space: space
        ).restore(
            name,
            of: identity,
            as: RestoredMember(
                name: "a",
                peerURL: "http://127.0.0.1:1",
                peers: [EtcdUnit.Peer(name: "a", url: "http://127.0.0.1:1")],
                token: "t"
            ),
            into: target
        )
    }
}
