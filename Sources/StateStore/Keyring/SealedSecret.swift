// SPDX-License-Identifier: Apache-2.0
import Crypto
public import FoundationEssentials

/// A secret as a store holds it: once for each key that opens it (HPKE, RFC 9180, base mode).
///
/// The secret's place in the store is authenticated with it, so that one secret cannot be put in another's place. A secret
/// is small, so each key gets the whole of it rather than a key to it.
///
/// - Shape: JSON, `{"format": 1, "boxes": [{"key": …, "encapsulated": …, "ciphertext": …}]}`.
public struct SealedSecret: Codable, Sendable, Equatable {
    /// The secret, sealed to one key.
    public struct Box: Codable, Sendable, Equatable {
        /// The identifier of the key that opens it.
        public let key: String
        /// What the opener agrees on a key with.
        public let encapsulated: Data
        /// The sealed bytes with their tag.
        public let ciphertext: Data
    }

    /// The format of all that follows.
    public let format: Int
    /// The secret, once for each key.
    public let boxes: [Box]

    private static let suite = HPKE.Ciphersuite.Curve25519_SHA256_ChachaPoly
    private static let info = Data("kopslite secret".utf8)

    /// Seals bytes that are to stand at a place.
    public init(_ bytes: [UInt8], at place: StoreKey, to keys: [RecipientKey]) throws {
        format = 1
        boxes = try keys.map { key in
            var sender = try HPKE.Sender(
                recipientKey: try Curve25519.KeyAgreement.PublicKey(rawRepresentation: key.publicKey),
                ciphersuite: Self.suite,
                info: Self.info
            )
            let ciphertext = try sender.seal(bytes, authenticating: Array(place.description.utf8))
            return Box(key: key.id, encapsulated: sender.encapsulatedKey, ciphertext: ciphertext)
        }
    }

    /// Opens what stands at a place.
    ///
    /// - Throws: ``KeyringError/unopened(secret:key:reason:)``.
    public func open(at place: StoreKey, with key: ReaderKey) throws(KeyringError) -> [UInt8] {
        func failure(_ reason: String) -> KeyringError {
            .unopened(secret: place.description, key: key.description, reason: reason)
        }
        guard let box = boxes.first(where: { $0.key == key.id }) else {
            throw failure("it is sealed to \(boxes.map(\.key).joined(separator: ", "))")
        }
        do {
            var recipient = try HPKE.Recipient(
                privateKey: try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: key.privateKey),
                ciphersuite: Self.suite,
                info: Self.info,
                encapsulatedKey: box.encapsulated
            )
            return try [UInt8](recipient.open(box.ciphertext, authenticating: Array(place.description.utf8)))
        } catch {
            throw failure("it was altered, or belongs in another place")
        }
    }
}
