// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import NodeOS
import PKI
import StateStore

/// The keysets and secrets a cluster cannot be without; each is made once and then kept.
struct Provision {
    let store: any StateStore
    let layout: ClusterLayout
    let now: Date

    /// The names of what is still missing, such as `keyset/etcd-ca`, sorted; nothing is written.
    func missing() async throws -> [String] {
        var names: [String] = []
        for name in KeysetName.controlPlane where try await store.read(privateKey(name)) == nil {
            names.append("keyset/\(name)")
        }
        if try await store.read(tokenKey()) == nil { names.append("secret/bootstrap-token") }
        return names.sorted()
    }

    /// Makes what is missing; two that do so at once agree on one, for a key is only written where none is.
    func create() async throws {
        for name in KeysetName.controlPlane {
            let key = try privateKey(name)
            if try await store.read(key) == nil {
                try await store.write(encoded(generate(name)), to: key, when: .absent)
            }
            let keyset = try await privateKeyset(name)
            let publicKey = try layout.keyset(name)
            if try await store.read(publicKey) == nil {
                try await store.write(encoded(keyset.publicPart), to: publicKey, when: .absent)
            }
        }
        if try await store.read(tokenKey()) == nil {
            try await store.write(encoded(BootstrapToken(token: Self.newToken())), to: tokenKey(), when: .absent)
        }
    }

    /// The authorities' public certificates by keyset name.
    func authorities() async throws -> [String: String] {
        var bundles: [String: String] = [:]
        for name in KeysetName.authorities { bundles[name] = try await privateKeyset(name).bundle }
        return bundles
    }

    /// A keyset with its private keys.
    ///
    /// - Throws: ``Failure`` `keyset-missing` when the cluster was never applied.
    func privateKeyset(_ name: String) async throws -> Keyset {
        guard let object = try await store.read(privateKey(name)) else {
            throw Failure(
                .permanent,
                code: "keyset-missing",
                "\(layout.clusterName) has no keyset \(name) yet",
                hint: "kopslite update cluster \(layout.clusterName) --yes"
            )
        }
        return try JSONDecoder().decode(Keyset.self, from: Data(object.bytes))
    }

    private func privateKey(_ name: String) throws -> StoreKey {
        try layout.secret(name, for: InstanceRole.controlPlane.rawValue)
    }

    private func tokenKey() throws -> StoreKey { try layout.secret("bootstrap-token", for: InstanceRole.node.rawValue) }

    private func generate(_ name: String) throws -> Keyset {
        name == KeysetName.serviceAccount
            ? KeysetGenerator.bareKey(name: name, now: now)
            : try KeysetGenerator.certificateAuthority(name: name, commonName: name, now: now, years: 10)
    }

    private func encoded(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try [UInt8](encoder.encode(value))
    }

    /// `<id>.<secret>` as Kubernetes wants a bootstrap token: 6 and 16 characters of a-z and 0-9.
    private static func newToken() -> String {
        var generator = SystemRandomNumberGenerator()
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        let random = { (count: Int) in
            String((0..<count).map { _ in letters[Int.random(in: letters.indices, using: &generator)] })
        }
        return "\(random(6)).\(random(16))"
    }
}
