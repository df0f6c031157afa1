// SPDX-License-Identifier: Apache-2.0
import Crypto
public import FoundationEssentials

/// Who reads secrets.
public enum SecretReader: String, Codable, Sendable, CaseIterable {
    /// Operators.
    case admin
    /// Machines that run the control plane.
    case controlPlane = "control-plane"
    /// Machines that run workloads.
    case node
}

/// What is sealed to: the half of a reader's key that may be known to all.
public struct RecipientKey: Codable, Sendable, Equatable {
    /// Who has the other half.
    public let reader: SecretReader
    /// The first 16 hex digits of the SHA-256 of the public key.
    public let id: String
    /// X25519 (RFC 7748), 32 bytes, in Base64.
    public let publicKey: Data

    /// Makes the half of a key that is known.
    public init(reader: SecretReader, publicKey: Data) {
        self.reader = reader
        self.publicKey = publicKey
        id = keyIdentifier(publicKey)
    }
}

/// A key that opens what was sealed to a reader.
///
/// - Shape: JSON; a machine's cloud puts it at ``path``, outside of user-data.
public struct ReaderKey: Codable, Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// Who has it.
    public let reader: SecretReader
    /// The first 16 hex digits of the SHA-256 of the public key.
    public let id: String
    /// X25519 (RFC 7748), 32 bytes, in Base64.
    public let privateKey: Data
    /// What is sealed to.
    public let publicKey: Data

    /// Where a machine finds its role's key.
    public static let path = "/etc/kopslite/reader-key.json"

    /// Makes a new key.
    public init(reader: SecretReader) {
        let key = Curve25519.KeyAgreement.PrivateKey()
        self.reader = reader
        privateKey = key.rawRepresentation
        publicKey = key.publicKey.rawRepresentation
        id = keyIdentifier(publicKey)
    }

    /// The half that may be known to all.
    public var recipient: RecipientKey { RecipientKey(reader: reader, publicKey: publicKey) }

    /// Never the key.
    public var description: String { "\(reader.rawValue) key \(id)" }
    /// Nothing: `dump` looks past a description.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// The key as a file holds it.
    public func encoded() throws -> [UInt8] { try encodeForStore(self) }

    /// Reads a key's file.
    ///
    /// - Throws: ``KeyringError/damaged(reason:)``.
    public init(decoding bytes: [UInt8]) throws(KeyringError) {
        guard let key = try? JSONDecoder().decode(Self.self, from: Data(bytes)) else {
            throw .damaged(reason: "a reader's key is no JSON of one")
        }
        self = key
    }
}
