// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
public import KopsModel

/// The keys that only operators have: what signs generations, and what opens secrets.
///
/// - Shape: JSON, in a file the operator names, or at `private/admin/keyring.json` of the store.
public struct Keyring: Codable, Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// The cluster it belongs to.
    public let cluster: String
    /// The keys that sign every head, the oldest first.
    public var signing: [SigningKey]
    /// One key for each reader of secrets.
    public let readers: [ReaderKey]

    /// Makes the keyring of a new cluster.
    public init(cluster: String, notAfter: Date) {
        self.cluster = cluster
        signing = [SigningKey(notAfter: notAfter)]
        readers = SecretReader.allCases.map { ReaderKey(reader: $0) }
    }

    /// Reads a keyring.
    ///
    /// - Throws: ``KeyringError``.
    public init(decoding bytes: [UInt8], for cluster: String) throws(KeyringError) {
        guard let keyring = try? JSONDecoder().decode(Self.self, from: Data(bytes)), !keyring.signing.isEmpty else {
            throw .damaged(reason: "it is not the JSON of a keyring")
        }
        guard keyring.cluster == cluster else { throw .foreign(cluster: cluster, found: keyring.cluster) }
        self = keyring
    }

    /// The keyring as it is kept.
    public func encoded() throws -> [UInt8] { try encodeForStore(self) }

    /// What machines pin.
    public var trust: [TrustedKey] { signing.map(\.trusted) }

    /// A reader's key.
    ///
    /// - Throws: ``KeyringError/damaged(reason:)`` when it has none.
    public func key(of reader: SecretReader) throws(KeyringError) -> ReaderKey {
        guard let key = readers.first(where: { $0.reader == reader }) else {
            throw .damaged(reason: "it has no key of \(reader.rawValue)")
        }
        return key
    }

    /// Never a key.
    public var description: String { "keyring of \(cluster)" }
    /// Nothing: `dump` looks past a description.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What can go wrong with keys and what they protect.
public enum KeyringError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is none where it should be.
    case missing(cluster: String, place: String)
    /// It is not what it should be.
    case damaged(reason: String)
    /// It belongs to another cluster.
    case foreign(cluster: String, found: String)
    /// A secret is not sealed to this key, was altered, or was put in another's place.
    case unopened(secret: String, key: String, reason: String)

    /// A stable identifier in kebab case.
    public var code: String {
        switch self {
        case .missing: "keyring-missing"
        case .damaged: "keyring-damaged"
        case .foreign: "keyring-foreign"
        case .unopened: "secret-unopened"
        }
    }

    /// The remedy.
    public var hint: String {
        switch self {
        case .missing(let cluster, _):
            "name the file it was kept in with --keyring FILE or KOPSLITE_KEYRING; the first kopslite update cluster"
                + " \(cluster) --yes makes it"
        case .damaged: "bring back a copy of it; without it nothing can be published that machines follow"
        case .foreign: "name the keyring of this cluster with --keyring FILE or KOPSLITE_KEYRING"
        case .unopened: "write the secret again, or use the key it was sealed to"
        }
    }

    /// One line for a person, without the remedy.
    public var description: String {
        switch self {
        case .missing(let cluster, let place): "the keyring of cluster \(cluster) is not in \(place)"
        case .damaged(let reason): "the keyring cannot be used: \(reason)"
        case .foreign(let cluster, let found): "the keyring is that of cluster \(found), not of \(cluster)"
        case .unopened(let secret, let key, let reason): "\(secret) cannot be opened with \(key): \(reason)"
        }
    }
}
