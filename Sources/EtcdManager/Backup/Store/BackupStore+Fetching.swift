// SPDX-License-Identifier: Apache-2.0
import NodeOS
public import StateStore
public import SystemPackage

extension BackupStore {
    /// Fetches a backup's snapshot into a file that is not there yet; every byte is checked.
    ///
    /// - Parameters:
    ///   - record: Which backup.
    ///   - file: Where the snapshot is written, for its owner only.
    ///   - key: What opens a sealed backup.
    /// - Throws: ``BackupDamage`` `backup-chunk-missing`, `backup-chunk-damaged`, `backup-snapshot-damaged`; ``KeyringError``
    ///   where the key does not open it; ``StoreError``; `Errno` where the file cannot be written.
    public func fetch(_ record: BackupRecord, into file: FilePath, with key: ReaderKey?) async throws {
        let seal = try record.encryption.map { try opening($0, of: record.name, with: key) }
        var hash = RunningDigest()
        var size: Int64 = 0
        try await SnapshotFile(path: file).write { append in
            for (index, chunk) in record.chunks.enumerated() {
                var piece = try await read(chunk, of: record.name)
                if let seal {
                    guard let opened = seal.open(piece, index: index, of: record.chunks.count) else {
                        throw BackupDamage("backup-chunk-damaged", "piece \(chunk.name) is sealed as another one")
                    }
                    piece = opened
                }
                hash.add(piece)
                size += Int64(piece.count)
                try append(piece)
            }
        }
        guard size == record.snapshot.size, hash.text == record.snapshot.sha256 else {
            throw BackupDamage(
                "backup-snapshot-damaged",
                "its pieces make \(size) bytes with SHA-256 \(hash.text), not \(record.snapshot.size) with"
                    + " \(record.snapshot.sha256)"
            )
        }
    }

    private func opening(
        _ encryption: BackupEncryption,
        of name: BackupName,
        with key: ReaderKey?
    ) throws -> ChunkSeal {
        let place = try self.key(name, Self.recordName)
        guard let key else {
            throw KeyringError.unopened(
                secret: place.description,
                key: "no key",
                reason: "it is sealed to \(encryption.recipients.joined(separator: ", "))"
            )
        }
        return try ChunkSeal(opening: encryption, at: place, with: key)
    }

    private func read(_ chunk: BackupChunk, of name: BackupName) async throws -> [UInt8] {
        let place = try key(name, chunk.name)
        guard let object = try await LongWork.within(Self.pieceLimit, { try await store.read(place) }) else {
            throw BackupDamage("backup-chunk-missing", "piece \(chunk.name) is not there")
        }
        let digest = hexSHA256(object.bytes)
        guard object.bytes.count == chunk.size, digest == chunk.sha256 else {
            throw BackupDamage(
                "backup-chunk-damaged",
                "piece \(chunk.name) has \(object.bytes.count) bytes with SHA-256 \(digest), not \(chunk.size) with"
                    + " \(chunk.sha256)"
            )
        }
        return object.bytes
    }
}
