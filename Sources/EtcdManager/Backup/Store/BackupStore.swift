// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
import NodeOS
public import StateStore
public import SystemPackage

/// The backups of one etcd cluster in a state store.
///
/// The pieces of a snapshot are written first and the record last, both only where nothing is, so that a writer which dies
/// in between leaves pieces without a record: no backup, but garbage that ``sweep(takenBefore:)`` finds.
public struct BackupStore: Sendable {
    let store: any StateStore
    let layout: ClusterLayout
    let etcdCluster: String
    private let chunkSize: Int

    static let recordName = "meta.json"
    static let proofName = "proof.json"
    /// By when a store has taken or given a piece, or has failed: it tries four times, and 100 kB/s is slow enough each time.
    static let pieceLimit: Duration = .seconds(1200)

    /// Makes the backups of an etcd cluster, `main` or `events`.
    public init(store: any StateStore, layout: ClusterLayout, etcdCluster: String) {
        self.init(store: store, layout: layout, etcdCluster: etcdCluster, chunkSize: SnapshotFile.chunkSize)
    }

    init(store: any StateStore, layout: ClusterLayout, etcdCluster: String, chunkSize: Int) {
        self.store = store
        self.layout = layout
        self.etcdCluster = etcdCluster
        self.chunkSize = chunkSize
    }

    // MARK: Reading

    /// Every backup there is, oldest first, damaged ones among them.
    ///
    /// - Throws: ``StoreError``.
    public func list() async throws -> [StoredBackup] {
        let found = try await objects()
        let names = found.filter { $0.value.contains(Self.recordName) }.keys.sorted()
        let keys = try names.flatMap { name in
            let proof = found[name]?.contains(Self.proofName) == true
            return [try key(name, Self.recordName)] + (proof ? [try key(name, Self.proofName)] : [])
        }
        let objects = try await store.read(keys)
        return try names.compactMap { name in
            guard let record = objects[try key(name, Self.recordName)] else { return nil }
            return try stored(name, record.bytes, proof: objects[try key(name, Self.proofName)]?.bytes)
        }
    }

    /// One backup; `nil` when there is none of that name.
    ///
    /// - Throws: ``StoreError``.
    public func find(_ name: BackupName) async throws -> StoredBackup? {
        guard let record = try await store.read(try key(name, Self.recordName)) else { return nil }
        return try stored(name, record.bytes, proof: try await store.read(try key(name, Self.proofName))?.bytes)
    }

    /// The record of a backup that is wanted.
    ///
    /// - Throws: ``Failure`` `backup-not-found`, or the code of a ``BackupDamage`` (both permanent); ``StoreError``.
    public func record(of name: BackupName) async throws -> BackupRecord {
        guard let backup = try await find(name) else {
            throw Failure(
                .permanent,
                code: "backup-not-found",
                "there is no backup \(name) of etcd \(etcdCluster) of \(layout.clusterName) in \(store.url)",
                hint: "`kopslite etcd backups` lists them"
            )
        }
        guard let record = backup.record else {
            throw (backup.damage ?? BackupDamage("backup-meta-damaged", "its record cannot be read"))
                .failure(of: name.description)
        }
        return record
    }

    private func stored(_ name: BackupName, _ bytes: [UInt8], proof: [UInt8]?) throws -> StoredBackup {
        let proof = proof.flatMap(BackupProof.init(decoding:))
        do {
            let record = try BackupRecord(decoding: bytes)
            guard record.name == name, record.source.etcdCluster == etcdCluster,
                record.source.clusterName == layout.clusterName
            else {
                let source = "\(record.source.clusterName) \(record.source.etcdCluster) \(record.name)"
                throw BackupDamage("backup-foreign", "its record is that of \(source)")
            }
            let isOfThis = try proof?.record == record.digest()
            return StoredBackup(name: name, record: record, proof: isOfThis ? proof : nil)
        } catch let damage as BackupDamage {
            return StoredBackup(name: name, record: nil, damage: damage, proof: proof?.record == "" ? proof : nil)
        }
    }

    // MARK: Writing

    /// Uploads a snapshot; of one that fails the pieces are removed again where the store lets them.
    ///
    /// - Parameters:
    ///   - file: The snapshot, at least 1 byte.
    ///   - record: What is known of it; the pieces and their encryption are filled in.
    ///   - recipients: Who can read it; none: whoever reads the store.
    /// - Returns: The whole record, which is in the store now.
    /// - Throws: ``StoreError``; then there is no backup of this name, or, where only the last answer was lost, a whole one.
    @discardableResult
    public func upload(
        _ file: FilePath,
        as record: BackupRecord,
        sealedTo recipients: [RecipientKey] = []
    ) async throws -> BackupRecord {
        let place = try key(record.name, Self.recordName)
        let seal = recipients.isEmpty ? nil : try ChunkSeal.make(at: place, to: recipients)
        let count = (Int(record.snapshot.size) + chunkSize - 1) / chunkSize
        var record = record
        record.encryption = seal?.1
        record.chunks = []
        do {
            try await write(file, of: count, sealedBy: seal?.0, into: &record)
        } catch {
            await withdraw(record)
            throw error
        }
        // From here on nothing is taken back: a record whose answer was lost may be there.
        try await store.write(try record.encoded(), to: place, when: .absent)
        return record
    }

    private func write(
        _ file: FilePath,
        of count: Int,
        sealedBy seal: ChunkSeal?,
        into record: inout BackupRecord
    ) async throws {
        var hash = RunningDigest()
        try await SnapshotFile(path: file).forEachChunk(of: chunkSize) { index, piece in
            hash.add(piece)
            let bytes = try seal?.seal(piece, index: index, of: count) ?? piece
            let chunk = BackupChunk(name: String(index), size: bytes.count, sha256: hexSHA256(bytes))
            let place = try key(record.name, chunk.name)
            _ = try await LongWork.within(Self.pieceLimit) { try await store.write(bytes, to: place, when: .absent) }
            record.chunks.append(chunk)
        }
        guard hash.text == record.snapshot.sha256, record.chunks.count == count else {
            throw Failure(
                .transient,
                code: "backup-snapshot-changed",
                "\(file) changed while it was uploaded as \(record.name)",
                hint: "see what else writes to that directory"
            )
        }
    }

    /// Removes the pieces that a run has written; what it cannot remove is ``sweep(takenBefore:)``'s.
    ///
    /// The first piece goes last, for it is what another run of the same name would begin with.
    private func withdraw(_ record: BackupRecord) async {
        do {
            for chunk in record.chunks.reversed() {
                try await store.remove(try key(record.name, chunk.name), when: .always)
            }
        } catch {
            // The run's own failure is what counts.
        }
    }

    /// Writes what a proof found; the last one counts.
    ///
    /// - Throws: ``StoreError``, a conflict where somebody else proved the same backup at the same time.
    public func write(_ proof: BackupProof, of name: BackupName) async throws {
        let place = try key(name, Self.proofName)
        let found = try await store.read(place)
        try await store.write(try proof.encoded(), to: place, when: found.map { .version($0.version) } ?? .absent)
    }

    // MARK: Removing

    /// Removes a backup, its record first, so that it is gone at once or not at all.
    ///
    /// - Throws: ``StoreError``.
    public func delete(_ name: BackupName) async throws {
        try await store.remove(try key(name, Self.recordName), when: .always)
        for object in try await objects()[name] ?? [] where object != Self.recordName {
            try await store.remove(try key(name, object), when: .always)
        }
    }

    /// Removes what writers that died have left; nothing as young as what may still be on its way.
    ///
    /// - Returns: The names whose pieces are gone, oldest first.
    /// - Throws: ``StoreError``.
    @discardableResult
    public func sweep(takenBefore date: Date) async throws -> [BackupName] {
        let garbage = try await objects().filter { $0.key.taken < date && !$0.value.contains(Self.recordName) }
        for (name, left) in garbage.sorted(by: { $0.key < $1.key }) {
            for object in left.sorted() { try await store.remove(try key(name, object), when: .always) }
        }
        return garbage.keys.sorted()
    }

    // MARK: Names

    func key(_ name: BackupName, _ object: String) throws -> StoreKey {
        try layout.backup(name.description, object, of: etcdCluster)
    }

    /// What there is below each name; what has no name of a backup is nobody's business here.
    private func objects() async throws -> [BackupName: Set<String>] {
        let prefix = try layout.backups(of: etcdCluster)
        var found: [BackupName: Set<String>] = [:]
        for key in try await store.list(prefix) where key.parts.count == prefix.parts.count + 2 {
            guard let name = BackupName(key.parts[prefix.parts.count]), let object = key.parts.last else { continue }
            found[name, default: []].insert(object)
        }
        return found
    }
}
