// SPDX-License-Identifier: Apache-2.0
import Crypto
public import FoundationEssentials
import SwiftASN1
import X509

/// Makes new keysets of one pair, ECDSA on P-256.
public enum KeysetGenerator {
    /// How far certificates are dated back, so that a machine whose clock is slow accepts them at once.
    static let clockSkew: TimeInterval = 3600
    static let year: TimeInterval = 365.25 * 86400

    /// Makes a self-signed certificate authority.
    ///
    /// - Throws: ``PKIError/badProfile(commonName:reason:)`` when the common name is empty or `years` is not positive.
    public static func certificateAuthority(
        name: String,
        commonName: String,
        now: Date,
        years: Int = 10
    ) throws -> Keyset {
        guard !commonName.isEmpty else {
            throw PKIError.badProfile(commonName: name, reason: "its common name is empty")
        }
        guard years > 0 else {
            throw PKIError.badProfile(commonName: commonName, reason: "it is valid for \(years) years")
        }
        let key = P256.Signing.PrivateKey()
        let publicKey = Certificate.PublicKey(key.publicKey)
        let subject = try DistinguishedName { CommonName(commonName) }
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: publicKey,
            notValidBefore: now - clockSkew,
            notValidAfter: now + year * Double(years),
            issuer: subject,
            subject: subject,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(digitalSignature: true, keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: publicKey)
            },
            issuerPrivateKey: Certificate.PrivateKey(key)
        )
        let pair = Keyset.Pair(
            id: identifier(now),
            certificate: PEMText.line(try certificate.serializeAsPEM().pemString),
            privateKey: PEMText.line(key.pemRepresentation)
        )
        return Keyset(name: name, primary: pair.id, pairs: [pair])
    }

    /// Makes a key pair without a certificate, such as the one that signs service-account tokens.
    ///
    /// - Shape: the public key as SubjectPublicKeyInfo (`PUBLIC KEY`), the private key as PKCS #8 (`PRIVATE KEY`).
    public static func bareKey(name: String, now: Date = Date()) -> Keyset {
        let key = P256.Signing.PrivateKey()
        let pair = Keyset.Pair(
            id: identifier(now),
            certificate: "",
            publicKey: PEMText.line(key.publicKey.pemRepresentation),
            privateKey: PEMText.line(key.pemRepresentation)
        )
        return Keyset(name: name, primary: pair.id, pairs: [pair])
    }

    /// Milliseconds and six random digits: grows with time, and two pairs of one millisecond still differ.
    static func identifier(_ now: Date) -> String {
        let milliseconds = Int64(now.timeIntervalSince1970 * 1000)
        return String(milliseconds * 1_000_000 + Int64.random(in: 0..<1_000_000))
    }
}

/// PEM as files want it: one newline at the end, so that texts can be joined.
enum PEMText {
    static func line(_ pem: String) -> String { pem.hasSuffix("\n") ? pem : pem + "\n" }
}
