// SPDX-License-Identifier: Apache-2.0
import NodeOS
import StateStore
import SystemPackage

/// The backups of the etcd cluster.
extension EtcdSite {
    /// Takes, tries and prunes what is due, and tells of alarms that etcd has raised among what is wrong.
    ///
    /// - Parameter attempts: The same at each call, so that what fails is not done again at once.
    /// - Returns: What was done, and what was not.
    /// - Throws: ``Failure``, `StoreError`.
    public func keepBackups(_ attempts: BackupAttempts) async throws -> BackupKeeper.Pass {
        let volume = try await volume()
        let store = try backupStore()
        let prover = BackupProver(
            backups: store,
            node: node,
            runner: SubprocessRunner(),
            tools: try await tools(),
            key: try await backupKey(),
            directory: volume.directory
        )
        let keeper = BackupKeeper(
            backups: store,
            taker: try await taker(store, volume),
            prover: prover,
            policy: try await backupPolicy(),
            attempts: attempts
        )
        let record = try await record()
        let members = try await running(in: record)
        let alarms = try await alarms(of: record, at: members)
        var pass = try await keeper.pass(
            of: members,
            source: BackupSource(of: record),
            needed: BackupName.needed(by: record, command: try await registers.read(.command)?.value)
        )
        pass.failures = alarms + pass.failures
        return pass
    }

    /// What members have raised the alarm for, by the word of the first that answers; no status of a member tells of it.
    private func alarms(of record: ClusterRecord, at members: [BackupMember]) async throws -> [Failure] {
        let etcd = try await gateway()
        for member in members {
            guard let alarms = try? await etcd.alarms(at: member.endpoint) else { continue }
            return alarms.map { $0.failure(in: record) }
        }
        return []
    }

    /// Removes from the member's volume what runs that were killed have left there, snapshots as large as the database among
    /// it; for every machine, since one that no longer leads would keep it until it leads again.
    ///
    /// - Throws: ``Failure``.
    public func clearScratch() async throws {
        try await ScratchDirectory.clearStale(on: try await volume().directory, of: node)
    }

    /// Takes a backup if operators wait for one.
    ///
    /// - Parameter attempts: The same at each call, so that what fails is not done again at once.
    /// - Returns: The backup; `nil` where nobody waits for one.
    /// - Throws: ``RegisterError``, ``Failure``, `StoreError`.
    public func answerBackupRequest(_ attempts: BackupAttempts) async throws -> BackupName? {
        try await RequestedBackups(registers: registers, attempts: attempts).answer { reason in
            let record = try await record()
            return try await taker(try backupStore(), try await volume())
                .take(of: try await running(in: record), source: BackupSource(of: record), reason: reason).name
        }
    }

    /// The members that can be asked for their data.
    private func running(in record: ClusterRecord) async throws -> [BackupMember] {
        var running: [BackupMember] = []
        for name in record.members.keys.sorted() {
            guard let report = try await registers.read(.report(of: name))?.value, report.isRunning else { continue }
            running.append(BackupMember(name: name, endpoint: report.clientURL))
        }
        return running
    }

    func backups(on volume: MemberVolume) -> StoreBackups {
        StoreBackups(
            layout: layout,
            etcdCluster: etcdCluster,
            open: { try openStore() },
            errand: BackupErrand(now: now, aside: { doAside($0) }),
            taker: { try await taker($0, volume) },
            source: { BackupSource(of: try await record()) }
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
            directory: volume.directory,
            recipients: try await backupRecipients()
        )
    }

    private func record() async throws -> ClusterRecord {
        if let record = try await registers.read(.record)?.value { return record }
        throw Failure(
            .waiting,
            code: "etcd-record-missing",
            "the store has no record of etcd \(etcdCluster)",
            hint: "its leader writes one before etcd first starts; `kopslite etcd status` says what that waits for"
        )
    }

    func restore(_ backup: String, _ start: EtcdStart, on volume: MemberVolume) async throws {
        let tools = try await tools()
        try start.requireRelease(tools.release)
        let restore = SnapshotRestore(
            backups: try backupStore(),
            node: node,
            runner: SubprocessRunner(),
            tools: tools,
            restorer: tools,
            key: try await backupKey()
        )
        guard let name = BackupName(backup) else {
            throw Failure(
                .permanent,
                code: "backup-not-found",
                "\"\(backup)\" is no name of a backup",
                hint: "`kopslite etcd backups` lists them; command the restore again with one of these names"
            )
        }
        let peers = start.peers.map { EtcdUnit.Peer(name: $0.key, url: $0.value) }
        try await restore.restore(
            name,
            of: BackupSource(of: try await record()),
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

extension BackupSource {
    /// The data that a record is of.
    fileprivate init(of record: ClusterRecord) {
        self.init(
            clusterName: record.clusterName,
            etcdCluster: record.etcdCluster,
            identity: record.id,
            epoch: record.epoch
        )
    }
}

extension BackupName {
    /// What a restore reads that is under way, and the one that is commanded and not taken up yet.
    static func needed(by record: ClusterRecord?, command: OperatorCommand?) -> Set<BackupName> {
        var names: [String?] = []
        if case .restore(let restore)? = record?.operation { names.append(restore.backup) }
        if let command, command.id != record?.lastCommand { names.append(command.restore) }
        return Set(names.compactMap { $0.flatMap { BackupName($0) } })
    }
}
