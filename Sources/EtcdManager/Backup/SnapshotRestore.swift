// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import StateStore
public import SystemPackage

/// Lays a member's data directory from a backup.
///
/// Revisions go on a thousand million above those of the backup, and all older ones count as compacted: a client that had
/// watched the lost cluster is told so, instead of waiting for a revision that comes a second time with other contents.
///
/// - Source: etcd pull requests 16029, 16165; Kubernetes issue 107457.
public struct SnapshotRestore: Sendable {
    /// How far revisions are moved: a cluster would have to write for months to get there by itself.
    public static let revisionBump: Int64 = 1_000_000_000

    private let backups: BackupStore
    private let node: any NodeWriter
    private let runner: any CommandRunner
    private let tools: EtcdTools
    private let restorer: EtcdTools
    private let key: ReaderKey?
    private let space: FreeSpace

    /// Makes a restore.
    ///
    /// - Parameters:
    ///   - backups: Where the backup is.
    ///   - node: This machine.
    ///   - runner: Runs etcd's programs.
    ///   - tools: Of the release that will serve the data.
    ///   - restorer: Of a release that can move revisions: 3.5.10 or later, or 3.4.27 or later; it may be newer than `tools`, whose
    ///     etcd reads what it lays.
    ///   - key: What opens a sealed backup.
    ///   - space: Measures the target's disk.
    public init(
        backups: BackupStore,
        node: any NodeWriter,
        runner: any CommandRunner,
        tools: EtcdTools,
        restorer: EtcdTools,
        key: ReaderKey?,
        space: FreeSpace = FreeSpace()
    ) {
        self.backups = backups
        self.node = node
        self.runner = runner
        self.tools = tools
        self.restorer = restorer
        self.key = key
        self.space = space
    }

    /// Makes `target`, whose parent is there, from a backup; all of it or nothing.
    ///
    /// - Parameters:
    ///   - name: Which backup.
    ///   - source: Whose data it must be; the epoch is not compared.
    ///   - member: What the data becomes.
    ///   - target: The data directory; absent, or empty.
    /// - Returns: The backup's record.
    /// - Throws: ``Failure``, all permanent: `backup-not-found`, `backup-foreign`, `backup-newer`, `backup-older`, `restore-over-data`, `restore-tool-old`,
    ///   `backup-disk-full`, the code of a ``BackupDamage``; ``KeyringError``; ``StoreError``.
    @discardableResult
    public func restore(
        _ name: BackupName,
        of source: BackupSource,
        as member: RestoredMember,
        into target: FilePath
    ) async throws -> BackupRecord {
        try await requireEmpty(target)
        let record = try await backups.record(of: name)
        try require(source, record)
        try record.requireServable(by: tools.release)
        try await ScratchDirectory(
            node: node,
            volume: target.removingLastComponent(),
            purpose: .restore,
            room: 2 * record.snapshot.size,
            space: space
        ).with { scratch in
            let data = try await lay(record, as: member, in: scratch)
            // Never over what came here in the meantime; rename(2) itself refuses a directory that holds something.
            try await requireEmpty(target)
            try await node.rename(data, to: target)
        }
        return record
    }

    private func lay(_ record: BackupRecord, as member: RestoredMember, in scratch: FilePath) async throws -> FilePath {
        let (file, data) = (scratch.appending("snapshot.db"), scratch.appending("data"))
        do {
            try await backups.fetch(record, into: file, with: key)
        } catch let damage as BackupDamage {
            throw damage.failure(of: record.name.description)
        }
        let arguments =
            member.arguments(restoring: file, into: data)
            + ["--bump-revision=\(Self.revisionBump)", "--mark-compacted"]
        do {
            try await EtcdCommands(runner: runner, tools: restorer)
                .run(restorer.files, arguments, failing: "backup-not-restorable")
        } catch let failure as Failure where failure.code == "backup-not-restorable" {
            guard failure.message.contains("unknown flag") else {
                throw BackupDamage(failure.code, failure.message).failure(of: record.name.description)
            }
            throw Failure(
                .permanent,
                code: "restore-tool-old",
                "etcd \(restorer.release) cannot move revisions, so clients would miss changes after the restore",
                hint: "install etcdutl of 3.5.10 or later beside it",
                cause: failure
            )
        }
        return data
    }

    private func require(_ source: BackupSource, _ record: BackupRecord) throws {
        var found = record.source
        found.epoch = source.epoch
        guard found == source else {
            throw Failure(
                .permanent,
                code: "backup-foreign",
                "backup \(record.name) is of etcd \(found.etcdCluster) of \(found.clusterName) (\(found.identity)), not of"
                    + " \(source.etcdCluster) of \(source.clusterName) (\(source.identity))",
                hint: "choose one of this cluster's own backups (`kopslite etcd backups`)"
            )
        }
    }

    private func requireEmpty(_ target: FilePath) async throws {
        guard let status = try await node.status(of: target) else { return }
        if status.kind == .directory, try await node.list(target).isEmpty { return }
        throw Failure(
            .permanent,
            code: "restore-over-data",
            "\(target) holds data, and a restore never replaces any",
            hint: "stop etcd, move \(target) away, and keep it until the restored cluster is known to be right"
        )
    }
}
