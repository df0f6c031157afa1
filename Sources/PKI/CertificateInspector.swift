// SPDX-License-Identifier: Apache-2.0
import Crypto
public import FoundationEssentials
import SwiftASN1
import X509

/// Reads certificates back.
public enum CertificateInspector {
    /// Reads what a certificate says; of several in one text the first counts, as in a chain.
    ///
    /// - Throws: ``PKIError/unreadable(what:reason:)``.
    public static func inspect(pem: String) throws -> CertificateFacts {
        try CertificateFacts(parse(pem, what: "certificate"))
    }

    static func parse(_ pem: String, what: String) throws -> Certificate {
        do {
            guard let document = try PEMDocument.parseMultiple(pemString: pem).first else {
                throw PKIError.unreadable(what: what, reason: "it holds no PEM")
            }
            return try Certificate(pemDocument: document)
        } catch let error as PKIError {
            throw error
        } catch {
            throw PKIError.unreadable(what: what, reason: "it is no PEM certificate (\(error))")
        }
    }

    /// The parser's own words are dropped: they could quote the key.
    static func parseKey(_ pem: String, what: String) throws -> Certificate.PrivateKey {
        do {
            return try Certificate.PrivateKey(pemEncoded: pem)
        } catch {
            throw PKIError.unreadable(what: what, reason: "it is no PEM private key of a supported kind")
        }
    }
}

extension Keyset {
    /// The last second in which what the signing pair signs is valid; the distant past when no pair can be read.
    public var end: Date {
        guard let pair = primaryPair, let authority = try? CertificateInspector.inspect(pem: pair.certificate) else {
            return .distantPast
        }
        return authority.notAfter
    }
}

/// What a certificate says, and who signed it.
public struct CertificateFacts: Sendable, Equatable {
    /// The subject's last CN; empty when there is none.
    public let commonName: String
    /// The subject's O values, in order.
    public let organizations: [String]
    /// DNS subject alternative names, in order.
    public let dnsNames: [String]
    /// IP subject alternative names, in order, as text.
    public let ipAddresses: [String]
    /// Extended key usages, in order; others than server and client are left out.
    public let usages: [CertificateProfile.Usage]
    /// The first second it is valid.
    public let notBefore: Date
    /// The last second it is valid.
    public let notAfter: Date
    /// Whether it may sign certificates.
    public let isAuthority: Bool
    private let certificate: Certificate

    init(_ certificate: Certificate) throws {
        do {
            let attributes = certificate.subject.flatMap(Array.init)
            func values(_ type: ASN1ObjectIdentifier) -> [String] {
                attributes.compactMap { $0.type == type ? String($0.value) : nil }
            }
            let names = try certificate.extensions.subjectAlternativeNames.map(Array.init) ?? []
            let usages = try certificate.extensions.extendedKeyUsage.map(Array.init) ?? []
            commonName = values(.RDNAttributeType.commonName).last ?? ""
            organizations = values(.RDNAttributeType.organizationName)
            dnsNames = names.compactMap { if case .dnsName(let name) = $0 { name } else { nil } }
            ipAddresses = names.compactMap {
                if case .ipAddress(let address) = $0 { IPAddressText.text(of: address.bytes) } else { nil }
            }
            self.usages = usages.compactMap { $0 == .serverAuth ? .server : $0 == .clientAuth ? .client : nil }
            if case .isCertificateAuthority = try certificate.extensions.basicConstraints {
                isAuthority = true
            } else {
                isAuthority = false
            }
        } catch {
            throw PKIError.unreadable(what: "certificate", reason: "an extension is malformed (\(error))")
        }
        notBefore = certificate.notValidBefore
        notAfter = certificate.notValidAfter
        self.certificate = certificate
    }

    /// Whether the pair of the keyset that signs has signed it: the issuer's name fits and the signature verifies.
    ///
    /// A certificate of another pair is to be issued anew while that pair is still trusted everywhere. Says nothing about
    /// dates. A pair that cannot be read signs nothing.
    public func isIssued(by keyset: Keyset) -> Bool {
        guard let pair = keyset.primaryPair,
            let authority = try? CertificateInspector.parse(pair.certificate, what: keyset.name)
        else { return false }
        return authority.subject == certificate.issuer
            && authority.publicKey.isValidSignature(certificate.signature, for: certificate)
    }

    /// Whether a private key (PEM, PKCS #8 or SEC 1) belongs to it; `false` for a text that is no key.
    public func belongs(toPrivateKey pem: String) -> Bool {
        (try? CertificateInspector.parseKey(pem, what: "private key"))?.publicKey == certificate.publicKey
    }
}
