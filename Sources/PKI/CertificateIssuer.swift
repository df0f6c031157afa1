// SPDX-License-Identifier: Apache-2.0
import Crypto
public import FoundationEssentials
import SwiftASN1
import X509

/// Issues leaf certificates that a keyset's primary pair signs.
public struct CertificateIssuer: Sendable {
    private let keyset: Keyset

    /// Makes an issuer; the keyset is looked at when it signs.
    public init(keyset: Keyset) { self.keyset = keyset }

    /// Issues a certificate with a fresh P-256 key and a random serial number.
    ///
    /// It is dated back one hour for slow clocks, and ends with the authority when that ends earlier.
    ///
    /// - Throws: ``PKIError`` when the keyset cannot sign or no certificate can be made from the profile.
    public func issue(_ profile: CertificateProfile, now: Date) throws -> IssuedCertificate {
        let names = try alternativeNames(of: profile)
        let (authority, authorityKey) = try signer(now: now)
        let key = P256.Signing.PrivateKey()
        let publicKey = Certificate.PublicKey(key.publicKey)
        let usages = Set(profile.usages)
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: publicKey,
            notValidBefore: now - KeysetGenerator.clockSkew,
            notValidAfter: min(now + profile.lifetime / .seconds(1), authority.notValidAfter),
            issuer: authority.subject,
            subject: try subject(of: profile),
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage(
                    (usages.contains(.server) ? [.serverAuth] : []) + (usages.contains(.client) ? [.clientAuth] : [])
                )
                SubjectKeyIdentifier(hash: publicKey)
                AuthorityKeyIdentifier(keyIdentifier: try keyIdentifier(of: authority))
                if !names.isEmpty { SubjectAlternativeNames(names) }
            },
            issuerPrivateKey: authorityKey
        )
        return IssuedCertificate(
            certificate: PEMText.line(try certificate.serializeAsPEM().pemString),
            privateKey: PEMText.line(key.pemRepresentation)
        )
    }

    private func signer(now: Date) throws -> (Certificate, Certificate.PrivateKey) {
        guard let pair = keyset.primaryPair, !pair.certificate.isEmpty else {
            throw PKIError.noSigningPair(keyset: keyset.name)
        }
        guard let pem = pair.privateKey else { throw PKIError.noPrivateKey(keyset: keyset.name) }
        let certificate = try CertificateInspector.parse(pair.certificate, what: "certificate of keyset \(keyset.name)")
        let key = try CertificateInspector.parseKey(pem, what: "private key of keyset \(keyset.name)")
        guard key.publicKey == certificate.publicKey else { throw PKIError.keyMismatch(keyset: keyset.name) }
        guard certificate.notValidAfter > now else {
            throw PKIError.authorityExpired(
                keyset: keyset.name,
                notAfter: certificate.notValidAfter.formatted(.iso8601)
            )
        }
        return (certificate, key)
    }

    /// Organizations before the common name, as Go's crypto/x509 orders a subject.
    private func subject(of profile: CertificateProfile) throws -> DistinguishedName {
        let organizations = try profile.organizations.map { try OrganizationName($0).makeRDN() }
        return DistinguishedName(organizations + [try CommonName(profile.commonName).makeRDN()])
    }

    private func keyIdentifier(of authority: Certificate) throws -> ArraySlice<UInt8> {
        try authority.extensions.subjectKeyIdentifier?.keyIdentifier
            ?? SubjectKeyIdentifier(hash: authority.publicKey).keyIdentifier
    }

    private func alternativeNames(of profile: CertificateProfile) throws -> [GeneralName] {
        func refuse(_ reason: String) -> PKIError { .badProfile(commonName: profile.commonName, reason: reason) }
        guard !profile.commonName.isEmpty else { throw refuse("its common name is empty") }
        // A certificate's times are whole seconds.
        guard profile.lifetime >= .seconds(1) else { throw refuse("it is valid for \(profile.lifetime)") }
        guard !profile.usages.isEmpty else { throw refuse("it has no usage") }
        let names = try profile.dnsNames.map { name in
            guard isDNSName(name) else { throw refuse("\"\(name)\" is no DNS name") }
            return GeneralName.dnsName(name)
        }
        let addresses = try profile.ipAddresses.map { address in
            guard let bytes = IPAddressText.bytes(of: address) else { throw refuse("\"\(address)\" is no IP address") }
            return GeneralName.ipAddress(ASN1OctetString(contentBytes: bytes[...]))
        }
        return names + addresses
    }

    /// Looser than RFC 1123, as people have underscores and wildcards; strict enough to fit an IA5String.
    private func isDNSName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 253
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "-._*".utf8.contains(byte)
            }
    }
}
