// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import PKI
import StateStore
import Testing

@testable import KopsLite

@Suite struct KeypairTests {
    static let name = "--name demo.example.com"

    /// Lets every machine say that it has converged on a generation.
    private func follow(_ generation: Int, _ bench: Bench, except late: String? = nil) async throws {
        for machine in ["control-plane-local-a-1", "nodes-1"] where machine != late {
            var status = AgentStatus.sample(machine, .converged)
            status.generation = generation
            try await bench.report(status)
        }
    }

    private func run(_ bench: Bench, _ lines: String...) async throws {
        for line in lines {
            let result = await bench.run(line)
            try #require(result.code == 0, "\(line): \(result.text)")
        }
    }

    @Test("a keyset moves to a new pair in steps, each only when every machine has followed the last")
    func rotation() async throws {
        let bench = try await Bench.withGeneration()
        let secrets = try await ClusterRepository(store: bench.store).secrets(of: "demo.example.com")
        let first = try await secrets.keyset(KeysetName.kubernetes).keyset

        var refused = await bench.run("create keypair kubernetes-ca \(Self.name)")
        #expect(refused.code == 1 && refused.notes.contains("not followed by control-plane-local-a-1, nodes-1"))
        try await follow(1, bench)
        try await run(bench, "create keypair kubernetes-ca \(Self.name)")
        refused = await bench.run("promote keypair kubernetes-ca \(Self.name)")
        #expect(refused.code == 1 && refused.notes.contains("is not published"), "\(refused.notes)")

        try await run(bench, "update cluster demo.example.com --yes")
        try await follow(2, bench, except: "nodes-1")
        refused = await bench.run("promote keypair kubernetes-ca \(Self.name)")
        #expect(refused.code == 1 && refused.notes.contains("not followed by nodes-1;"), "\(refused.notes)")
        try await follow(2, bench)
        try await run(bench, "promote keypair kubernetes-ca \(Self.name)", "update cluster demo.example.com --yes")
        try await follow(3, bench)
        try await run(
            bench,
            "distrust keypair kubernetes-ca \(first.primary) \(Self.name)",
            "update cluster demo.example.com --yes"
        )

        let last = try await secrets.keyset(KeysetName.kubernetes).keyset
        #expect(last.primary != first.primary)
        #expect(last.trustedPairs.map(\.id) == [last.primary])
        #expect(!last.bundle.contains(first.bundle))
    }

    @Test("signing keys overlap, so that machines move from one to the next")
    func signingKeys() async throws {
        let bench = try await Bench.withGeneration()
        let repository = ClusterRepository(store: bench.store)
        let old = try await repository.keyringPlace(of: "demo.example.com").existing().trust
        try await follow(1, bench)
        try await run(bench, "create keypair signing \(Self.name)", "update cluster demo.example.com --yes")
        let both = try await repository.generations(of: "demo.example.com").current()
        #expect(both.manifest.trust.count == 2)
        try await follow(2, bench)
        let refused = await bench.run("promote keypair signing \(Self.name)")
        #expect(refused.code == 1)
        try await run(
            bench,
            "distrust keypair signing \(old[0].id) \(Self.name)",
            "update cluster demo.example.com --yes"
        )
        let layout = ClusterLayout(clusterName: "demo.example.com")
        // Who has followed the overlap goes on; who has not is refused.
        let followed = GenerationReader(store: bench.store, layout: layout, trust: HeadTrust(both.manifest.trust))
        #expect(try await followed.current(after: both.followed).number == 3)
        let stale = GenerationReader(store: bench.store, layout: layout, trust: HeadTrust(old))
        await #expect {
            _ = try await stale.current()
        } throws: { error in
            (error as? GenerationError)?.code == "generation-untrusted"
        }
        let only = await bench.run("distrust keypair signing 0000 --force \(Self.name)")
        #expect(only.code == 1 && only.notes.contains("there is no signing key 0000"))
    }

    @Test(
        "what would leave a keyset without a signer, or names none, is refused",
        arguments: [
            "create keypair no-such --force", "promote keypair etcd-clients-ca --force",
            "promote keypair etcd-clients-ca 17 --force",
            "trust keypair etcd-clients-ca 17 --force", "distrust keypair etcd-clients-ca 17 --force",
            "create keypair etcd-clients-ca --years 0 --force", "create keypair service-account --years 2 --force",
        ]
    )
    func refusals(_ line: String) async throws {
        let bench = try await Bench.withGeneration()
        let writes = await bench.store.count
        #expect(await bench.run("\(line) \(Self.name)").code == 1)
        #expect(await bench.store.count == writes)
    }

    @Test(
        "what was made is told once it is written, and before what comes next",
        arguments: ["service-account", "signing"]
    )
    func told(keyset: String) async throws {
        let bench = try await Bench.withGeneration()
        let made = await bench.run("create keypair \(keyset) --force \(Self.name)")
        #expect(made.output.hasPrefix("Created keypair \(keyset)/"), "\(made.text)")
        #expect(made.output.contains("\n\nTo publish it: "), "\(made.text)")
        await bench.store.failAfter(writes: 0)
        let failed = await bench.run("create keypair \(keyset) --force \(Self.name)")
        #expect(failed.code == 1 && !failed.text.contains("Created"), "\(failed.text)")
    }

    @Test("no command shows a private key, a secret or a token")
    func nothingSecretIsShown() async throws {
        var bench = try await Bench.withGeneration()
        bench.files["login.json"] = "hunter2-hunter2"
        try await run(bench, "create secret dockerconfig -f login.json --for node \(Self.name)")
        let secrets = try await ClusterRepository(store: bench.store).secrets(of: "demo.example.com")
        let keyset = try await secrets.keyset(KeysetName.kubernetes).keyset
        let hidden =
            ["hunter2", secrets.keyring.signing[0].privateKey.base64EncodedString()]
            + secrets.keyring.readers.map { $0.privateKey.base64EncodedString() }
            + keyset.pairs.compactMap(\.privateKey)
        var said = ""
        for line in [
            "get secrets demo.example.com", "get keypairs demo.example.com", "update cluster demo.example.com",
            "update cluster demo.example.com --yes", "diff \(Self.name)", "log demo.example.com -o yaml",
            "get all demo.example.com -o yaml", "preflight demo.example.com",
        ] {
            said += await bench.run(line).text
        }
        for secret in hidden { #expect(!said.contains(secret)) }
        #expect(said.contains("dockerconfig"))
        // Nor does any object of the store outside of the operators' own.
        for key in await bench.store.keys where !key.contains("/private/admin/") {
            let text = String(decoding: try await bench.store.read(StoreKey(key))?.bytes ?? [], as: UTF8.self)
            for secret in hidden { #expect(!text.contains(secret), "\(key)") }
        }
    }

    @Test("a keyring in a file never enters the store")
    func keyringInAFile() async throws {
        let directory = NSTemporaryDirectory() + "keyring-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var bench = Bench()
        bench.isReal = true
        bench.environment["KOPSLITE_KEYRING"] = directory
        try await run(
            bench,
            "create cluster demo.example.com --zones local-a --kubernetes-version 1.20.2 --file-repository \(RepositoryHTTP.url)",
            "update cluster demo.example.com --yes",
            "update cluster demo.example.com"
        )
        #expect(await !bench.store.keys.contains { $0.contains("private/admin") })
        let file = directory + "/demo.example.com.keyring.json"
        #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
        bench.environment["KOPSLITE_KEYRING"] = nil
        let result = await bench.run("update cluster demo.example.com --yes")
        #expect(result.code == 1)
        #expect(result.notes.contains("name the file it was kept in with --keyring FILE"), "\(result.notes)")
    }
}
