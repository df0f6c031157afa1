// SPDX-License-Identifier: Apache-2.0

/// A named set of key pairs of which one signs and all are trusted that are not marked otherwise.
///
/// - Shape: JSON; without private keys at `pki/<name>.json`, with them below `private/<role>/`.
public struct Keyset: Codable, Sendable, Equatable, CustomStringConvertible {
    /// One key pair.
    public struct Pair: Codable, Sendable, Equatable {
        /// A decimal number, larger for younger pairs.
        public var id: String
        /// PEM, one certificate; empty for a bare key such as the service-account key.
        public var certificate: String
        /// PEM (SubjectPublicKeyInfo), for bare keys.
        public var publicKey: String?
        /// PEM (PKCS #8); `nil` where only public parts may be read.
        public var privateKey: String?
        /// Whether what it signed is believed no more; `nil` for no.
        public var isDistrusted: Bool?

        /// Makes a pair from its parts.
        public init(id: String, certificate: String, publicKey: String? = nil, privateKey: String? = nil) {
            self.id = id
            self.certificate = certificate
            self.publicKey = publicKey
            self.privateKey = privateKey
        }
    }

    /// The name, such as `kubernetes-ca`.
    public var name: String
    /// The identifier of the pair that signs.
    public var primary: String
    /// All pairs, also those that are trusted no more.
    public var pairs: [Pair]

    /// Makes a keyset from its parts.
    public init(name: String, primary: String, pairs: [Pair]) {
        self.name = name
        self.primary = primary
        self.pairs = pairs
    }

    /// The pair that signs.
    public var primaryPair: Pair? { pairs.first { $0.id == primary } }
    /// Every trusted certificate, one PEM after the other.
    public var bundle: String { trustedPairs.map(\.certificate).joined() }
    /// The pairs whose signatures are believed.
    public var trustedPairs: [Pair] { pairs.filter { $0.isDistrusted != true } }
    /// The same set without private keys.
    public var publicPart: Keyset {
        var copy = self
        for index in copy.pairs.indices { copy.pairs[index].privateKey = nil }
        return copy
    }
    /// Never a key.
    public var description: String { "keyset \(name) (\(pairs.count) pairs)" }
}

/// What a leaf certificate says.
public struct CertificateProfile: Codable, Sendable, Equatable {
    /// What a certificate may be used for.
    public enum Usage: String, Codable, Sendable {
        case server
        case client
    }

    /// The subject's CN.
    public var commonName: String
    /// The subject's O values.
    public var organizations: [String]
    /// DNS subject alternative names, in order.
    public var dnsNames: [String]
    /// IP subject alternative names, in order, as text.
    public var ipAddresses: [String]
    /// Extended key usages.
    public var usages: [Usage]
    /// How long it is valid.
    public var lifetime: Duration

    /// Makes a profile from its parts.
    public init(
        commonName: String,
        organizations: [String] = [],
        dnsNames: [String] = [],
        ipAddresses: [String] = [],
        usages: [Usage],
        lifetime: Duration = .seconds(365 * 86400)
    ) {
        self.commonName = commonName
        self.organizations = organizations
        self.dnsNames = dnsNames
        self.ipAddresses = ipAddresses
        self.usages = usages
        self.lifetime = lifetime
    }
}

/// A certificate and its key, as PEM.
public struct IssuedCertificate: Sendable, Equatable, CustomStringConvertible {
    /// PEM.
    public var certificate: String
    /// PEM (PKCS #8).
    public var privateKey: String

    /// Makes a pair from its parts.
    public init(certificate: String, privateKey: String) {
        self.certificate = certificate
        self.privateKey = privateKey
    }

    /// Never the key.
    public var description: String { "<certificate and key>" }
}
