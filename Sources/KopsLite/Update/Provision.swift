// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import NodeOS
import PKI
import StateStore

/// The keys and secrets a cluster cannot be without; each is made once and then kept.
struct Provision {
    let store: any StateStore
    let layout: ClusterLayout
    let place: KeyringPlace
    let now: Date

    /// The keyring; `nil` before it is made.
    func keyring() async throws -> Keyring? { try await place.load()?.keyring }

    /// The names of what is still missing, such as `keyset/etcd-clients-ca`, sorted; nothing is written.
    func missing() async throws -> [String] {
        var names: [String] = []
        if try await keyring() == nil { names.append("keyring") }
        for name in KeysetName.controlPlane where try await !secrets.has(name, for: .controlPlane) {
            names.append("keyset/\(name)")
        }
        if try await bootstrapReaders().isEmpty == false { names.append("secret/\(Self.bootstrapToken)") }
        return names.sorted()
    }

    /// Makes what is missing; two that do so at once agree on one, for a key is only written where none is.
    func create() async throws -> Keyring {
        let keyring = try await place.create(now: now)
        try await publishTrust(keyring)
        let mine = ClusterSecrets(store: store, layout: layout, keyring: keyring)
        for name in KeysetName.controlPlane {
            if try await !secrets.has(name, for: .controlPlane) {
                try await Self.once { try await mine.write(try generate(name), when: .absent) }
            } else if try await store.read(layout.keyset(name)) == nil {
                // A run that died between the two.
                let publicPart = try await mine.keyset(name).keyset.publicPart
                try await store.write(ClusterSecrets.encoded(publicPart), to: layout.keyset(name), when: .always)
            }
        }
        try await createBootstrapToken(mine)
        try await APIEndpoints(store: store, layout: layout).prepare()
        return keyring
    }

    private static let bootstrapToken = "bootstrap-token"
    private var secrets: SecretStore { SecretStore(store: store, layout: layout) }

    /// The roles that have no bootstrap token yet: nodes join by it, the control plane tells the API server.
    private func bootstrapReaders() async throws -> [SecretReader] {
        var readers: [SecretReader] = []
        for reader in [SecretReader.controlPlane, .node]
        where try await !secrets.has(Self.bootstrapToken, for: reader) { readers.append(reader) }
        return readers
    }

    /// The control plane's is written first and decides for both.
    private func createBootstrapToken(_ mine: ClusterSecrets) async throws {
        for reader in try await bootstrapReaders() {
            let known = try await secrets.read(
                Self.bootstrapToken,
                of: .controlPlane,
                with: mine.keyring.key(of: .admin)
            )
            let token = try known.map { try JSONDecoder().decode(BootstrapToken.self, from: Data($0.bytes)) }
            try await Self.once {
                try await mine.write(
                    token ?? BootstrapToken(token: Self.newToken()),
                    as: Self.bootstrapToken,
                    for: reader,
                    when: .absent
                )
            }
        }
    }

    /// Says whose heads are believed to those without the keyring.
    ///
    /// - Throws: ``KeyringError/damaged(reason:)`` when another keyring is the cluster's already.
    private func publishTrust(_ keyring: Keyring) async throws {
        let bytes = try ClusterSecrets.encoded(keyring.trust)
        guard let found = try await store.read(layout.trust()) else {
            return try await Self.once { try await store.write(bytes, to: layout.trust(), when: .absent) }
        }
        let trusted = try? JSONDecoder().decode([TrustedKey].self, from: Data(found.bytes))
        guard trusted?.contains(where: { keyring.trust.contains($0) }) == true else {
            throw KeyringError.damaged(reason: "\(layout.clusterName) is signed with the keys of another one")
        }
        if found.bytes != bytes {
            try await store.write(bytes, to: layout.trust(), when: .version(found.version))
        }
    }

    private static func once(_ write: () async throws -> Void) async throws {
        do { try await write() } catch StoreError.conflict {}
    }

    private func generate(_ name: String) throws -> Keyset {
        name == KeysetName.serviceAccount
            ? KeysetGenerator.bareKey(name: name, now: now)
            : try KeysetGenerator.certificateAuthority(name: name, commonName: name, now: now, years: 10)
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
