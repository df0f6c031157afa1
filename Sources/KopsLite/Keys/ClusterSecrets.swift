// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import NodeOS
import PKI
import StateStore

/// What a generation says of the cluster's keys; nothing of it is secret.
struct PublishedKeys: Sendable, Equatable {
    /// The authorities' trusted certificates by keyset name.
    var authorities: [String: String] = [:]
    /// The identifier of the pair that signs, by keyset name.
    var signingPairs: [String: String] = [:]
    /// The names of operators' secrets by role.
    var secrets: [InstanceRole: [String]] = [:]
    /// Whose keys open backups of etcd that are sealed.
    var backupRecipients: [BackupRecipient] = []
}

/// A cluster's keysets and secrets as an operator with the keyring uses them.
struct ClusterSecrets {
    let store: any StateStore
    let layout: ClusterLayout
    let keyring: Keyring

    private var secrets: SecretStore { SecretStore(store: store, layout: layout) }

    /// A keyset with its private keys, and its version.
    ///
    /// - Throws: ``Failure`` `keyset-missing` when the cluster was never applied.
    func keyset(_ name: String) async throws -> (keyset: Keyset, version: ObjectVersion) {
        guard let found = try await secrets.read(name, of: .controlPlane, with: keyring.key(of: .admin)) else {
            throw Failure(
                .permanent,
                code: "keyset-missing",
                "\(layout.clusterName) has no keyset \(name) yet",
                hint: "kopslite update cluster \(layout.clusterName) --yes"
            )
        }
        guard let keyset = try? JSONDecoder().decode(Keyset.self, from: Data(found.bytes)) else {
            throw StoreError.corrupt(key: "keyset \(name)", reason: "it is no JSON of a keyset")
        }
        return (keyset, found.version)
    }

    /// Writes a keyset: what control-plane machines open, then what everybody may read.
    func write(_ keyset: Keyset, when condition: WriteCondition) async throws {
        try await write(keyset, as: keyset.name, for: .controlPlane, when: condition)
        try await store.write(try Self.encoded(keyset.publicPart), to: layout.keyset(keyset.name), when: .always)
    }

    /// Writes a secret for a reader.
    func write(
        _ value: some Encodable,
        as name: String,
        for reader: SecretReader,
        when condition: WriteCondition
    ) async throws {
        try await secrets.write(
            try Self.encoded(value),
            as: name,
            for: reader,
            keyring: keyring,
            when: condition
        )
    }

    /// What machines must know of all this.
    func published() async throws -> PublishedKeys {
        var keys = PublishedKeys()
        for name in KeysetName.controlPlane {
            let keyset = try await keyset(name).keyset
            if KeysetName.authorities.contains(name) { keys.authorities[name] = keyset.bundle }
            keys.signingPairs[name] = keyset.primary
        }
        for role in InstanceRole.allCases { keys.secrets[role] = try await secrets.files(for: SecretReader(role)) }
        keys.backupRecipients = try [SecretReader.admin, .controlPlane].map { reader in
            BackupRecipient(reader: reader.rawValue, publicKey: try keyring.key(of: reader).publicKey)
        }
        return keys
    }

    static func encoded(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try [UInt8](encoder.encode(value))
    }
}
