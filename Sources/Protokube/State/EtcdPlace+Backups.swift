// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import KopsModel
import NodeBuilders
import NodeOS
import StateStore
import SystemPackage

/// The backups of the etcd cluster.
extension EtcdPlace {
    private var layout: ClusterLayout { ClusterLayout(clusterName: clusterState.boot.clusterName) }

    func backups(_ volume: MemberVolume) -> StoreBackups {
        StoreBackups(
            layout: layout,
            etcdCluster: etcdCluster,
            open: clusterState.open,
            taker: { [self] in try await taker($0, volume) },
            source: { [self] in try await source() }
        )
    }

    /// Takes, tries and prunes what is due.
    func keepBackups() async throws -> BackupKeeper.Pass {
        let volume = try await volume.volume()
        let store = BackupStore(store: try clusterState.open(), layout: layout, etcdCluster: etcdCluster)
        let prover = BackupProver(
            backups: store,
            node: nodeState.node,
            runner: SubprocessRunner(),
            tools: try await tools(),
            key: try await nodeState.readerKey(),
            directory: volume.directory
        )
        let keeper = BackupKeeper(backups: store, taker: try await taker(store, volume), prover: prover)
        return try await keeper.pass(of: try await running(), source: try await source())
    }

    /// Takes a backup if operators wait for one.
    func answerBackupRequest() async throws -> BackupName? {
        try await RequestedBackups(registers: registers).answer { reason in
            let volume = try await volume.volume()
            let store = BackupStore(store: try clusterState.open(), layout: layout, etcdCluster: etcdCluster)
            return try await taker(store, volume)
                .take(of: try await running(), source: try await source(), reason: reason).name
        }
    }

    /// The members that can be asked for their data.
    private func running() async throws -> [BackupMember] {
        var running: [BackupMember] = []
        for name in try await registers.read(.record)?.value.members.keys.sorted() ?? [] {
            guard let report = try await registers.read(.report(of: name))?.value, report.isRunning else { continue }
            running.append(BackupMember(name: name, endpoint: report.clientURL))
        }
        return running
    }

    private func taker(_ store: BackupStore, _ volume: MemberVolume) async throws -> BackupTaker {
        BackupTaker(
            backups: store,
            node: nodeState.node,
            etcd: try await gateway(),
            runner: SubprocessRunner(),
            tools: try await tools(),
            client: EtcdClientFiles(
                authority: NodePaths.etcdPKI.appending("ca.crt"),
                certificate: NodePaths.etcdPKI.appending("client.crt"),
                key: NodePaths.etcdPKI.appending("client.key")
            ),
            directory: volume.directory,
            recipients: try recipients(of: try await nodeState.etcd(etcdCluster))
        )
    }

    /// Whom backups are sealed to; none where that is not declared.
    ///
    /// - Throws: ``Failure`` `backup-recipients` (permanent) rather than to let a backup be read that should not be.
    private func recipients(of etcd: EtcdClusterConfig) throws -> [RecipientKey] {
        guard let declared = etcd.backupRecipients else { return [] }
        let keys = declared.compactMap { recipient in
            SecretReader(rawValue: recipient.reader).map { RecipientKey(reader: $0, publicKey: recipient.publicKey) }
        }
        guard keys.count == declared.count, keys.contains(where: { $0.reader == .controlPlane }) else {
            throw Failure(
                .permanent,
                code: "backup-recipients",
                "backups of etcd \(etcdCluster) are to be sealed, and the generation does not name whose keys open them",
                hint: "publish again with this release: `kopslite update cluster --yes`"
            )
        }
        return keys
    }

    /// etcdutl is of 3.5 also beside etcd 3.4: it alone can move revisions.
    private func tools() async throws -> EtcdTools {
        EtcdTools(
            release: try await nodeState.etcd(etcdCluster).version,
            etcd: NodePaths.etcd.appending("etcd"),
            etcdctl: NodePaths.etcd.appending("etcdctl"),
            etcdutl: NodePaths.etcd.appending("etcdutl")
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

    func restore(_ backup: String, _ start: EtcdStart, into target: FilePath) async throws {
        let tools = try await tools()
        let restore = SnapshotRestore(
            backups: BackupStore(store: try clusterState.open(), layout: layout, etcdCluster: etcdCluster),
            node: nodeState.node,
            runner: SubprocessRunner(),
            tools: tools,
            restorer: tools,
            key: try await nodeState.readerKey()
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
            into: target
        )
    }
}
