// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeOS
import PKI
import StateStore
import SystemPackage

/// The secrets of a machine's role, opened with the key its cloud gave it.
struct MachineSecrets {
    private let store: any StateStore
    private let layout: ClusterLayout
    private let role: InstanceRole
    private let key: ReaderKey

    init(store: any StateStore, layout: ClusterLayout, role: InstanceRole, key: ReaderKey) {
        self.store = store
        self.layout = layout
        self.role = role
        self.key = key
    }

    /// The keysets with private keys: all of them on the control plane, none on workers.
    func keysets() async throws -> [String: Keyset] {
        guard role == .controlPlane else { return [:] }
        var keysets: [String: Keyset] = [:]
        for name in KeysetName.controlPlane { keysets[name] = try await read(name) }
        return keysets
    }

    /// The token by which machines join, which the control plane makes known to the API server.
    func bootstrapToken() async throws -> String {
        let token: BootstrapToken = try await read("bootstrap-token")
        return token.token
    }

    /// The operators' secrets of some names.
    func files(_ names: [String]) async throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in names { files[name] = try await bytes(SecretStore.fileName(name)) }
        return files
    }

    private func read<Value: Decodable>(_ name: String) async throws -> Value {
        let bytes = try await bytes(name)
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes))
        } catch {
            // The decoder's own words could quote the secret.
            throw Failure(
                .permanent,
                code: "secret-damaged",
                "the secret \(name) in the state store \(store.url) cannot be understood",
                hint: "nodeup and kopslite must be of the same release"
            )
        }
    }

    private func bytes(_ name: String) async throws -> [UInt8] {
        let secrets = SecretStore(store: store, layout: layout)
        guard let found = try await secrets.read(name, of: key.reader, with: key) else {
            throw Failure(
                .permanent,
                code: "secret-missing",
                "the secret \(name) of role \(key.reader.rawValue) is not in the state store \(store.url)",
                hint: "run `kopslite update cluster \(layout.clusterName) --yes`"
            )
        }
        return found.bytes
    }

    /// Reads the key that the machine's cloud put on it.
    ///
    /// - Throws: ``Failure`` `reader-key-missing`, `reader-key-damaged`.
    static func key(on node: any NodeReader) async throws -> ReaderKey {
        guard try await node.status(of: FilePath(ReaderKey.path)) != nil else {
            throw Failure(
                .permanent,
                code: "reader-key-missing",
                "\(ReaderKey.path) is not there: this machine cannot open the secrets of its role",
                hint: "the cloud puts it there at launch; on bare metal copy what"
                    + " `kopslite toolbox reader-key` prints"
            )
        }
        do {
            return try ReaderKey(decoding: try await node.read(FilePath(ReaderKey.path)))
        } catch let error as KeyringError {
            throw Failure(.permanent, code: "reader-key-damaged", "\(ReaderKey.path) cannot be used", cause: error)
        }
    }
}
