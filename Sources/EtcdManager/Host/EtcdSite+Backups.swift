// SPDX-License-Identifier: Apache-2.0
import NodeOS
import StateStore
import SystemPackage

/// The backups of the etcd cluster.
extension EtcdSite {
    /// Takes, tries and prunes what is due.
    ///
    /// - Throws: ``Failure``, `StoreError`.
    public func keepBackups() async throws -> BackupKeeper.Pass {
        let volume = try await volume()
        let store = try backupStore()
        let prover = BackupProver(
            backups: store,
            node: node,
            runner: SubprocessRunner(),
            tools: try await tools(),
            key: nil,
            directory: volume.directory
        )
        let keeper = BackupKeeper(
            backups: store,
            taker: try await taker(store, volume),
            prover: prover,
            policy: try await backupPolicy()
        )
        let members = try await registers.read(.record)?.value.members.keys.sorted() ?? []
        var asked: [BackupMember] = []
        for name in members {
            guard let report = try await registers.read(.report(of: name))?.value, report.isRunning else { continue }
            asked.append(BackupMember(name: name, endpoint: report.clientURL))
        }
        return try await keeper.pass(of: asked, source: try await source())
    }

    func backups(on volume: MemberVolume) -> StoreBackups {
        StoreBackups(
            layout: layout,
            etcdCluster: etcdCluster,
            open: { try openStore() },
            taker: { try await taker($0, volume) },
            source: { try await source() }
        )
    }

    private func backupStore() throws -> BackupStore {
        BackupStore(store: try openStore(), layout: layout, etcdCluster: etcdCluster)
    }

    private func taker(_ store: BackupStore, _ volume: MemberVolume) async throws -> BackupTaker {
        BackupTaker(
            backups: store,
            node: node,
            etcd: try await gateway(),
            runner: SubprocessRunner(),
            tools: try await tools(),
            client: try await client(),
            directory: volume.directory
        )
    }

    private func source() async throws -> BackupSource {
        guard let record = try await registers.read(.record)?.value else {
            throw Failure(.waiting, code: "etcd-record-missing", "the store has no record of etcd \(etcdCluster)")
        }
        return BackupSource(
            clusterName: record.clusterName,
            etcdCluster: record.etcdCluster,
            identity: record.id,
            epoch: record.epoch
        )
    }

    func restore(_ backup: String, _ start: EtcdStart, on volume: MemberVolume) async throws {
        let tools = try await tools()
        let restore = SnapshotRestore(
            backups: try backupStore(),
            node: node,
            runner: SubprocessRunner(),
            tools: tools,
            restorer: tools,
            key: nil
        )
        guard let name = BackupName(backup) else {
            throw Failure(.permanent, code: "backup-not-found", "\"\(backup)\" is no name of a backup")
        }
        let peers = start.peers.map { EtcdUnit.Peer(name: $0.key, url: $0.value) }
        try await restore.restore(
            name,
            of: try await source(),
            as: RestoredMember(
                name: start.member,
                peerURL: start.peers[start.member] ?? "",
                peers: peers,
                token: start.token
            ),
            into: volume.dataDirectory
        )
    }
}
