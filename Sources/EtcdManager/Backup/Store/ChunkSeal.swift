// SPDX-License-Identifier: Apache-2.0
import Crypto
import FoundationEssentials
import StateStore

/// Seals the pieces of one backup, so that none can be altered, left out, swapped or put into another backup.
struct ChunkSeal {
    private let key: SymmetricKey
    /// The place of the backup's record in the store.
    private let place: StoreKey

    /// A new random key for one backup, and how its record keeps it.
    static func make(at place: StoreKey, to recipients: [RecipientKey]) throws -> (ChunkSeal, BackupEncryption) {
        let key = SymmetricKey(size: .bits256)
        let bytes = key.withUnsafeBytes { [UInt8]($0) }
        let encryption = BackupEncryption(key: try SealedSecret(bytes, at: place, to: recipients))
        return (ChunkSeal(key: key, place: place), encryption)
    }

    private init(key: SymmetricKey, place: StoreKey) {
        self.key = key
        self.place = place
    }

    /// Opens a backup's key.
    ///
    /// - Throws: ``KeyringError``.
    init(opening encryption: BackupEncryption, at place: StoreKey, with key: ReaderKey) throws(KeyringError) {
        self.init(key: SymmetricKey(data: try encryption.key.open(at: place, with: key)), place: place)
    }

    func seal(_ bytes: [UInt8], index: Int, of count: Int) throws -> [UInt8] {
        let box = try ChaChaPoly.seal(
            bytes,
            using: key,
            nonce: try Self.nonce(index),
            authenticating: context(index, count)
        )
        return [UInt8](box.ciphertext) + [UInt8](box.tag)
    }

    /// Opens a piece; `nil` when it is not this backup's piece of that number.
    func open(_ bytes: [UInt8], index: Int, of count: Int) -> [UInt8]? {
        guard bytes.count >= 16,
            let box = try? ChaChaPoly.SealedBox(
                nonce: Self.nonce(index),
                ciphertext: bytes.dropLast(16),
                tag: bytes.suffix(16)
            ),
            let opened = try? ChaChaPoly.open(box, using: key, authenticating: context(index, count))
        else { return nil }
        return [UInt8](opened)
    }

    /// A key seals each number once, so the number is all that a nonce has to hold.
    private static func nonce(_ index: Int) throws -> ChaChaPoly.Nonce {
        let number = withUnsafeBytes(of: UInt64(index).bigEndian) { [UInt8]($0) }
        return try ChaChaPoly.Nonce(data: [0, 0, 0, 0] + number)
    }

    private func context(_ index: Int, _ count: Int) -> [UInt8] {
        Array("kopslite backup\n\(place)\n\(index) of \(count)".utf8)
    }
}
