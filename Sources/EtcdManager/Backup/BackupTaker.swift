// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
public import NodeOS
public import StateStore
public import SystemPackage

/// A member that can be asked for its data.
public struct BackupMember: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// Where clients reach it.
    public var endpoint: String

    /// Makes a member from its parts.
    public init(name: String, endpoint: String) {
        self.name = name
        self.endpoint = endpoint
    }
}

/// Takes a backup: snapshot, facts, pieces, record.
///
/// The snapshot is a file on this machine for as long as that takes; a run that was killed leaves it for the next to remove.
public struct BackupTaker: Sendable {
    private let backups: BackupStore
    private let node: any NodeWriter
    private let etcd: any EtcdAPI
    private let runner: any CommandRunner
    private let tools: EtcdTools
    private let client: EtcdClientFiles?
    private let directory: FilePath
    private let space: FreeSpace
    private let recipients: [RecipientKey]
    private let now: @Sendable () -> Date

    /// Makes a taker.
    ///
    /// - Parameters:
    ///   - backups: Where backups go.
    ///   - node: This machine.
    ///   - etcd: Knows which members are healthy.
    ///   - runner: Runs etcd's client.
    ///   - tools: Of the release that the cluster runs.
    ///   - client: How members know us; `nil` for members that ask nobody.
    ///   - directory: Where a scratch directory is made; it is there.
    ///   - space: Measures that directory's disk.
    ///   - recipients: To whom backups are sealed; none: they are not.
    ///   - now: The time.
    public init(
        backups: BackupStore,
        node: any NodeWriter,
        etcd: any EtcdAPI,
        runner: any CommandRunner,
        tools: EtcdTools,
        client: EtcdClientFiles?,
        directory: FilePath,
        space: FreeSpace = FreeSpace(),
        recipients: [RecipientKey] = [],
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.backups = backups
        self.node = node
        self.etcd = etcd
        self.runner = runner
        self.tools = tools
        self.client = client
        self.directory = directory
        self.space = space
        self.recipients = recipients
        self.now = now
    }

    /// Takes a backup of the member that is best asked: a follower before the leader, one that sees a leader before one
    /// that does not.
    ///
    /// - Throws: ``Failure`` `backup-no-member` (waiting), `backup-disk-full` (permanent), `etcd-not-answering`, `backup-snapshot-failed`
    ///   (transient) and as ``CommandRunner`` says; ``StoreError``. No backup is listed then.
    public func take(
        of members: [BackupMember],
        source: BackupSource,
        reason: BackupReason
    ) async throws -> BackupRecord {
        let (member, status) = try await choose(members, source)
        return try await ScratchDirectory(
            node: node,
            volume: directory,
            purpose: .backup,
            room: status.databaseSize,
            space: space
        ).with { scratch in
            let file = scratch.appending("snapshot.db")
            let commands = EtcdCommands(runner: runner, tools: tools, endpoint: member.endpoint, client: client)
            let taken = now()
            try await commands.save(to: file, expecting: status.databaseSize)
            let facts = try await facts(of: file, commands)
            let record = BackupRecord(
                name: BackupName(taken: taken, revision: facts.revision),
                source: source,
                member: member.name,
                etcdRelease: status.version,
                reason: reason,
                taken: taken.formatted(.iso8601),
                snapshot: facts,
                chunks: [],
                encryption: nil
            )
            return try await backups.upload(file, as: record, sealedTo: recipients)
        }
    }

    private func facts(of file: FilePath, _ commands: EtcdCommands) async throws -> SnapshotFacts {
        let status = try await commands.status(of: file)
        // A member that stops answering just now has given us its snapshot all the same.
        var asked = commands
        asked.limit = .seconds(60)
        let data = try? await asked.data(at: status.revision)
        let snapshot = SnapshotFile(path: file)
        return SnapshotFacts(
            size: try snapshot.size(),
            sha256: try snapshot.sha256(),
            hash: status.hash,
            revision: status.revision,
            keys: data?.keys,
            records: status.totalKey,
            hashKV: data?.hashKV
        )
    }

    /// Members are asked all at once, so that a dead one costs nothing.
    private func choose(_ members: [BackupMember], _ source: BackupSource) async throws -> (BackupMember, EtcdStatus) {
        let etcd = etcd
        let answers = await withTaskGroup(of: (BackupMember, EtcdStatus)?.self) { group in
            for member in members {
                group.addTask { (try? await etcd.status(of: member.endpoint)).map { (member, $0) } }
            }
            var answers: [(BackupMember, EtcdStatus)] = []
            for await case let answer? in group where !answer.1.isLearner { answers.append(answer) }
            return answers
        }
        let best = answers.max { left, right in
            let (one, other) = (Self.rank(left.1), Self.rank(right.1))
            return one == other ? left.0.name > right.0.name : one < other
        }
        guard let best else {
            let names = members.map { "\($0.name) (\($0.endpoint))" }.joined(separator: ", ")
            throw Failure(
                .waiting,
                code: "backup-no-member",
                "no member of etcd \(source.etcdCluster) answers: \(names.isEmpty ? "none is known" : names)",
                hint: "journalctl -u etcd-\(source.etcdCluster) on these machines"
            )
        }
        return best
    }

    /// Followers have less to do than the leader; one without a leader may lack what the others have agreed on.
    private static func rank(_ status: EtcdStatus) -> (Int, UInt64) {
        let place = status.leader == 0 ? 0 : status.leader == status.memberID ? 1 : 2
        return (place, status.raftAppliedIndex)
    }
}
