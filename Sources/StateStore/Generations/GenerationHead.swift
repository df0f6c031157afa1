// SPDX-License-Identifier: Apache-2.0
import Crypto
public import FoundationEssentials
public import KopsModel

/// The one mutable pointer of a cluster, signed.
///
/// - Shape: JSON at `<cluster>/head`, in the one form that ``encoded()`` gives: another form of the same values is refused, so
///   that no byte of it can change unseen.
public struct GenerationHead: Codable, Sendable, Equatable {
    /// One key's signature of ``signedBytes``.
    public struct Signature: Codable, Sendable, Equatable {
        /// The key's identifier.
        public let key: String
        /// Ed25519, 64 bytes, in Base64.
        public let signature: Data
    }

    /// The format this release writes, and the newest it reads.
    public static let currentFormat = 1

    /// The format of the generation behind it.
    public let format: Int
    /// The cluster it belongs to, so that it cannot stand in for another's.
    public let cluster: String
    /// Counts from 1.
    public let generation: Int
    /// The SHA-256 of the manifest's bytes, 64 hex digits.
    public let manifest: String
    /// By every key that was in force when it was published.
    public let signatures: [Signature]

    /// Makes and signs a head.
    ///
    /// - Throws: ``KeyringError`` when a key cannot sign.
    public init(cluster: String, generation: Int, manifest: String, signers: [SigningKey]) throws {
        let signed = Self.signedBytes(
            format: Self.currentFormat,
            cluster: cluster,
            generation: generation,
            manifest: manifest
        )
        format = Self.currentFormat
        self.cluster = cluster
        self.generation = generation
        self.manifest = manifest
        signatures = try signers.map { Signature(key: $0.id, signature: try $0.sign(signed)) }
    }

    /// What the signatures are of: a line for each value behind a line that no other use of the keys begins with.
    var signedBytes: [UInt8] {
        Self.signedBytes(format: format, cluster: cluster, generation: generation, manifest: manifest)
    }

    private static func signedBytes(format: Int, cluster: String, generation: Int, manifest: String) -> [UInt8] {
        Array("kopslite generation head\n\(format)\n\(cluster)\n\(generation)\n\(manifest)\n".utf8)
    }

    /// The bytes in the store.
    func encoded() throws -> [UInt8] { try encodeForStore(self) }
}

/// A head and the version it had in the store, which the next publisher must still find.
public struct PublishedHead: Sendable, Equatable {
    /// The pointer.
    public let head: GenerationHead
    /// Its version in the store.
    public let version: ObjectVersion
}

/// Whose signature on a head is believed, and when it is.
public struct HeadTrust: Sendable {
    /// The keys; a head needs a signature of one of them, and none of them may have signed it wrongly.
    public let keys: [TrustedKey]
    private let now: @Sendable () -> Date

    /// Makes a trust in some keys.
    public init(_ keys: [TrustedKey], now: @escaping @Sendable () -> Date = { Date() }) {
        self.keys = keys
        self.now = now
    }

    /// Checks a head's signatures.
    ///
    /// - Throws: ``GenerationError`` `generation-unsigned`, `generation-untrusted`, `generation-forged`, `generation-key-expired`.
    func check(_ head: GenerationHead) throws(GenerationError) {
        guard !head.signatures.isEmpty else { throw .unsigned(cluster: head.cluster, generation: head.generation) }
        let signed = head.signatures.compactMap { signature in
            keys.first { $0.id == signature.key }.map { (key: $0, signature: signature.signature) }
        }
        guard !signed.isEmpty else {
            throw .untrusted(
                cluster: head.cluster,
                signers: head.signatures.map(\.key),
                trusted: keys.map(\.id)
            )
        }
        for (key, signature) in signed where !Self.fits(signature, key, head.signedBytes) {
            throw .forged(cluster: head.cluster, generation: head.generation, key: key.id)
        }
        let now = now()
        if let over = signed.map(\.key).first(where: { $0.isExpired(at: now) }),
            signed.allSatisfy({ $0.key.isExpired(at: now) })
        {
            throw .keyExpired(cluster: head.cluster, key: over.id, notAfter: over.notAfter)
        }
    }

    private static func fits(_ signature: Data, _ key: TrustedKey, _ bytes: [UInt8]) -> Bool {
        guard let publicKey = try? Curve25519.Signing.PublicKey(rawRepresentation: key.publicKey) else { return false }
        return publicKey.isValidSignature(signature, for: bytes)
    }
}
