// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// Keysets and secrets of a cluster, each sealed to those who read it.
///
/// One object for each reader, below `private/<reader>/`, so that a permission on that prefix is all a reader needs. Operators
/// open all of them.
public struct SecretStore: Sendable {
    /// A secret and the version it had.
    public struct Found: Sendable, CustomStringConvertible, CustomReflectable {
        /// Its bytes.
        public let bytes: [UInt8]
        /// What a conditional write names.
        public let version: ObjectVersion

        /// Never the secret.
        public var description: String { "secret of version \(version)" }
        /// Nothing: `dump` looks past a description.
        public var customMirror: Mirror { Mirror(self, children: [:]) }
    }

    private let store: any StateStore
    private let layout: ClusterLayout

    /// Makes the secrets of a cluster.
    public init(store: any StateStore, layout: ClusterLayout) {
        self.store = store
        self.layout = layout
    }

    /// The names of what a reader may open, sorted; the keyring is not among them.
    public func names(for reader: SecretReader) async throws -> [String] {
        let prefix = try layout.secrets(for: reader)
        return try await store.list(prefix).compactMap { key in
            guard key.parts.count == prefix.parts.count + 1, let name = key.parts.last, name.hasSuffix(".json") else {
                return nil
            }
            return String(name.dropLast(".json".count))
        }.filter { reader != .admin || $0 != ClusterLayout.keyringName }
    }

    /// What an operators' secret is called beside keysets and tokens, which have names of their own.
    public static func fileName(_ name: String) -> String { filePrefix + name }
    static let filePrefix = "file-"

    /// The names of the operators' secrets for a reader, sorted.
    public func files(for reader: SecretReader) async throws -> [String] {
        try await names(for: reader).filter { $0.hasPrefix(Self.filePrefix) }.map {
            String($0.dropFirst(Self.filePrefix.count))
        }
    }

    /// Whether a secret is there for a reader.
    public func has(_ name: String, for reader: SecretReader) async throws -> Bool {
        try await store.read(layout.secret(name, for: reader)) != nil
    }

    /// A reader's secret, opened; `nil` when it is not there.
    ///
    /// - Throws: ``KeyringError`` when the key does not open it, ``StoreError``.
    public func read(_ name: String, of reader: SecretReader, with key: ReaderKey) async throws -> Found? {
        let place = try layout.secret(name, for: reader)
        guard let object = try await store.read(place) else { return nil }
        guard let sealed = try? JSONDecoder().decode(SealedSecret.self, from: Data(object.bytes)), sealed.format == 1
        else { throw StoreError.corrupt(key: place.description, reason: "it is no sealed secret") }
        return Found(bytes: try sealed.open(at: place, with: key), version: object.version)
    }

    /// Seals a secret to a reader and to operators, and writes it.
    ///
    /// - Throws: ``StoreError/conflict(key:expected:found:)`` when the condition does not hold.
    public func write(
        _ bytes: [UInt8],
        as name: String,
        for reader: SecretReader,
        keyring: Keyring,
        when condition: WriteCondition
    ) async throws {
        let place = try layout.secret(name, for: reader)
        var keys = [try keyring.key(of: .admin)]
        if reader != .admin { keys.append(try keyring.key(of: reader)) }
        try await store.write(
            encodeForStore(try SealedSecret(bytes, at: place, to: keys.map(\.recipient))),
            to: place,
            when: condition
        )
    }

    /// Removes a reader's secret; nothing there is no error.
    public func remove(_ name: String, for reader: SecretReader) async throws {
        try await store.remove(layout.secret(name, for: reader), when: .always)
    }
}
