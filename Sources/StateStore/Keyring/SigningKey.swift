// SPDX-License-Identifier: Apache-2.0
import Crypto
public import FoundationEssentials
public import KopsModel

/// A key that signs heads; only operators have it, machines never.
public struct SigningKey: Codable, Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// The first 16 hex digits of the SHA-256 of the public key.
    public let id: String
    /// Ed25519 (RFC 8032), 32 bytes, in Base64.
    public let privateKey: Data
    /// When it stops being believed, ISO 8601 in UTC.
    public let notAfter: String
    /// What others need to verify it.
    public let publicKey: Data

    /// Makes a new key.
    public init(notAfter: Date) {
        let key = Curve25519.Signing.PrivateKey()
        privateKey = key.rawRepresentation
        publicKey = key.publicKey.rawRepresentation
        id = keyIdentifier(publicKey)
        self.notAfter = notAfter.formatted(.iso8601)
    }

    /// What machines pin.
    public var trusted: TrustedKey { TrustedKey(id: id, publicKey: publicKey, notAfter: notAfter) }

    /// Never the key.
    public var description: String { "signing key \(id)" }
    /// Nothing: `dump` looks past a description.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    func sign(_ bytes: [UInt8]) throws -> Data {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: privateKey) else {
            throw KeyringError.damaged(reason: "signing key \(id) is no Ed25519 key")
        }
        return try key.signature(for: bytes)
    }
}

/// What a key is called: the first 16 hex digits of the SHA-256 of its public part.
func keyIdentifier(_ publicKey: Data) -> String { String(sha256([UInt8](publicKey)).prefix(16)) }
