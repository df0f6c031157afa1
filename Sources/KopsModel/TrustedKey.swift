// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

/// A key whose signature on a generation's head is believed.
///
/// - Shape: JSON, in user-data, in every generation's manifest and at `pki/signing.json`.
public struct TrustedKey: Codable, Sendable, Equatable {
    /// The first 16 hex digits of the SHA-256 of the public key.
    public var id: String
    /// Ed25519 (RFC 8032), 32 bytes, in Base64.
    public var publicKey: Data
    /// When it stops being believed, ISO 8601 in UTC.
    public var notAfter: String

    /// Makes a key from its parts.
    public init(id: String, publicKey: Data, notAfter: String) {
        self.id = id
        self.publicKey = publicKey
        self.notAfter = notAfter
    }

    /// Whether it is believed no more; a time that cannot be read is over.
    public func isExpired(at now: Date) -> Bool {
        guard let end = try? Date(notAfter, strategy: .iso8601) else { return true }
        return now >= end
    }
}
