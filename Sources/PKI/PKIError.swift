// SPDX-License-Identifier: Apache-2.0

/// What can go wrong with keys and certificates; never holds a key.
public enum PKIError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The keyset's `primary` names no pair that has a certificate.
    case noSigningPair(keyset: String)
    /// The keyset was read without its private keys.
    case noPrivateKey(keyset: String)
    /// The signing pair's key does not belong to its certificate.
    case keyMismatch(keyset: String)
    /// The signing certificate has run out.
    case authorityExpired(keyset: String, notAfter: String)
    /// A text that should be PEM of a certain kind and is not.
    case unreadable(what: String, reason: String)
    /// A profile that no certificate can be made from.
    case badProfile(commonName: String, reason: String)

    /// A stable identifier in kebab case.
    public var code: String {
        switch self {
        case .noSigningPair: "keyset-no-signing-pair"
        case .noPrivateKey: "keyset-no-private-key"
        case .keyMismatch: "keyset-key-mismatch"
        case .authorityExpired: "authority-expired"
        case .unreadable: "pem-unreadable"
        case .badProfile: "certificate-profile-invalid"
        }
    }

    /// One line for a person.
    public var description: String {
        switch self {
        case .noSigningPair(let keyset): "keyset \(keyset) has no pair that can sign: its primary names none"
        case .noPrivateKey(let keyset): "keyset \(keyset) cannot sign: it was read without its private key"
        case .keyMismatch(let keyset): "keyset \(keyset) cannot sign: its private key belongs to another certificate"
        case .authorityExpired(let keyset, let notAfter): "keyset \(keyset) cannot sign: it expired at \(notAfter)"
        case .unreadable(let what, let reason): "\(what) cannot be read: \(reason)"
        case .badProfile(let commonName, let reason): "certificate for \"\(commonName)\" cannot be issued: \(reason)"
        }
    }
}
