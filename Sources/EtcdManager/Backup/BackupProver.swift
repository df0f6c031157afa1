// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
public import NodeOS
public import StateStore
public import SystemPackage

/// Brings backups back for a trial, and writes down what came of it.
///
/// A backup is proven when all its pieces are what they were, etcd restores them, an etcd serves them, and what it serves
/// has the revision, the number of keys and the checksum that the record names.
public struct BackupProver: Sendable {
    private let backups: BackupStore
    private let node: any NodeWriter
    private let runner: any CommandRunner
    private let tools: EtcdTools
    private let key: ReaderKey?
    private let directory: FilePath
    private let space: FreeSpace
    private let limit: Duration
    private let now: @Sendable () -> Date

    /// Makes a prover.
    ///
    /// - Parameters:
    ///   - backups: Where the backups are.
    ///   - node: This machine.
    ///   - runner: Runs etcd's programs.
    ///   - tools: Of the release that the cluster runs.
    ///   - key: What opens sealed backups.
    ///   - directory: Where a scratch directory is made; it is there.
    ///   - space: Measures that directory's disk.
    ///   - limit: How long one of etcd's programs may take.
    ///   - now: The time.
    public init(
        backups: BackupStore,
        node: any NodeWriter,
        runner: any CommandRunner,
        tools: EtcdTools,
        key: ReaderKey?,
        directory: FilePath,
        space: FreeSpace = FreeSpace(),
        limit: Duration = .seconds(900),
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.backups = backups
        self.node = node
        self.runner = runner
        self.tools = tools
        self.key = key
        self.directory = directory
        self.space = space
        self.limit = limit
        self.now = now
    }

    /// Which backups are to be tried next: the newest where nobody has tried it, and the one whose last trial is oldest, since
    /// what was good may have rotted.
    ///
    /// Those that only another release could serve are left alone, or they would be the oldest for ever; those that could not
    /// be tried come after the others for the same reason, the more often the later.
    ///
    /// - Parameters:
    ///   - backups: All there are.
    ///   - release: Of the etcd that is here.
    ///   - failures: How often backups could not be tried.
    /// - Returns: Two names at the most.
    public static func due(
        _ backups: [StoredBackup],
        servedBy release: String,
        failures: [BackupName: Int] = [:]
    ) -> [BackupName] {
        let backups = backups.filter { backup in
            guard let record = backup.record else { return true }
            do { try record.requireServable(by: release) } catch { return false }
            return true
        }
        func count(_ name: BackupName) -> Int { failures[name] ?? 0 }
        let untried = backups.filter { $0.proof == nil }.map(\.name)
            .max { (count($1), $0) < (count($0), $1) }
        let oldest = backups.compactMap { backup in backup.proof.map { ($0.tried, backup.name) } }
            .min { (count($0.1), $0.0, $0.1) < (count($1.1), $1.0, $1.1) }
        return [untried, oldest?.1].compactMap(\.self)
    }

    /// Tries what is due; the damaged ones among them are in the answer, for a report.
    ///
    /// - Throws: As ``prove(_:)`` does, once all that are due were tried.
    public func proveDue() async throws -> [StoredBackup] {
        var tried: [StoredBackup] = []
        try await proveDue(after: BackupAttempts(), into: &tried)
        return tried
    }

    /// Tries what is due after what could not be tried before, and tells what was tried also where some could not be.
    func proveDue(after attempts: BackupAttempts, into tried: inout [StoredBackup]) async throws {
        var failure: (any Error)?
        let listed = try await backups.list()
        let due = Self.due(listed, servedBy: tools.release, failures: attempts.failures(of: listed))
        for name in due {
            guard let backup = listed.first(where: { $0.name == name }) else { continue }
            do {
                var backup = backup
                backup.proof = try await prove(backup)
                tried.append(backup)
                attempts.note(name, couldBeTried: true)
            } catch {
                attempts.note(name, couldBeTried: false)
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    /// Tries one backup.
    ///
    /// - Returns: The proof, which is in the store now; one that failed names the damage.
    /// - Throws: ``Failure`` `backup-newer`, `backup-older`, `backup-disk-full` and as ``CommandRunner`` says, ``KeyringError``, ``StoreError`` where
    ///   it could not be tried here and now; nothing is written then.
    public func prove(_ backup: StoredBackup) async throws -> BackupProof {
        var proof = BackupProof(
            tried: now(),
            etcdRelease: "",
            record: try backup.record?.digest() ?? "",
            comparedHash: false,
            damage: backup.damage
        )
        if let record = backup.record {
            try record.requireServable(by: tools.release)
            do {
                proof.comparedHash = try await bringBack(record)
                proof.etcdRelease = tools.release
            } catch let damage as BackupDamage {
                proof.damage = damage
            }
        }
        try await backups.write(proof, of: backup.name)
        return proof
    }

    /// Whether the checksum of keys and values could be compared as well.
    private func bringBack(_ record: BackupRecord) async throws -> Bool {
        try await ScratchDirectory(
            node: node,
            volume: directory,
            purpose: .proof,
            room: 2 * record.snapshot.size,
            space: space
        ).with { scratch in
            let file = scratch.appending("snapshot.db")
            try await backups.fetch(record, into: file, with: key)
            let etcd = ScratchEtcd(runner: runner, tools: tools, directory: scratch, limit: limit)
            try await compare(try await fileStatus(file, etcd.commands), record)
            try await etcd.restore(file)
            // A second copy lies in the data directory now.
            try await node.remove(file)
            return try compare(try await etcd.holdings(), record)
        }
    }

    private func fileStatus(_ file: FilePath, _ commands: EtcdCommands) async throws -> EtcdCommands.FileStatus {
        do {
            return try await commands.status(of: file)
        } catch let failure as Failure where failure.code == "backup-snapshot-unreadable" {
            throw BackupDamage(failure.code, failure.message)
        }
    }

    private func compare(_ found: EtcdCommands.FileStatus, _ record: BackupRecord) async throws {
        let expected = record.snapshot
        try same("revision", found.revision, expected.revision)
        try same("number of records", found.totalKey, expected.records)
        try same("checksum of the file", Int64(found.hash), Int64(expected.hash))
    }

    private func compare(_ found: EtcdCommands.DataStatus, _ record: BackupRecord) throws -> Bool {
        let expected = record.snapshot
        try same("revision", found.revision, expected.revision)
        if let keys = expected.keys { try same("number of keys", found.keys, keys) }
        guard let hash = expected.hashKV, record.etcdRelease == tools.release,
            hash.compactRevision == found.hashKV.compactRevision
        else { return false }
        try same("checksum of keys and values", Int64(found.hashKV.hash), Int64(hash.hash))
        return true
    }

    private func same(_ what: String, _ found: Int64, _ expected: Int64) throws {
        guard found != expected else { return }
        throw BackupDamage("backup-differs", "the \(what) is \(found) once restored, \(expected) when it was taken")
    }
}
