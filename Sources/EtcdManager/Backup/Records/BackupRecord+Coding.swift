// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import StateStore

extension BackupRecord {
    /// The format that this release writes, and the only one it reads.
    static let format = 1

    /// A record with a checksum of itself, so that no bit of it changes unseen.
    private struct Envelope: Codable {
        var format: Int
        var record: BackupRecord
        var sha256: String
    }

    /// The record as the store holds it: JSON, equal records as equal bytes.
    public func encoded() throws -> [UInt8] {
        let envelope = Envelope(format: Self.format, record: self, sha256: try digest())
        return try encodeForStore(envelope)
    }

    /// The SHA-256 by which a proof names the record it is for.
    public func digest() throws -> String { hexSHA256(try encodeForStore(self)) }

    /// Reads a record back.
    ///
    /// - Throws: ``BackupDamage`` `backup-meta-damaged` when a single bit is not as it was written, `backup-format` when another
    ///   release wrote it.
    public init(decoding bytes: [UInt8]) throws {
        struct Format: Decodable { let format: Int }
        let decoder = JSONDecoder()
        if let found = try? decoder.decode(Format.self, from: Data(bytes)).format, found != Self.format {
            throw BackupDamage("backup-format", "its record is in format \(found), this release reads \(Self.format)")
        }
        guard let envelope = try? decoder.decode(Envelope.self, from: Data(bytes)) else {
            throw BackupDamage("backup-meta-damaged", "its record is no JSON of one")
        }
        guard try envelope.record.encoded() == bytes else {
            throw BackupDamage("backup-meta-damaged", "its record was altered: it is not what its own checksum says")
        }
        self = envelope.record
    }
}
