// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import PKI
import StateStore
import Testing

@testable import KopsLite

@Suite struct HistoryTests {
    @Test("a generation holds what was declared, what is downloaded and what machines are told")
    func whatAGenerationHolds() async throws {
        let bench = try await Bench.withGeneration()
        let layout = ClusterLayout(clusterName: "demo.example.com")
        let reader = try await ClusterRepository(store: bench.store).generations(of: "demo.example.com")
        let generation = try await reader.current()
        #expect(generation.manifest.author == "test@host")
        #expect(
            try await generation.object(named: "spec/cluster.json") == bench.store.read(layout.cluster())?.bytes
        )
        let lock = try await JSONDecoder().decode(
            AssetLock.self,
            from: Data(generation.object(named: "assets.lock.json"))
        )
        #expect(lock.assets.map(\.name).contains("nodeup"))
        let config = try await JSONDecoder().decode(
            NodeConfig.self,
            from: Data(generation.object(named: "nodes/nodes.json"))
        )
        #expect(config.assets == lock.assets(of: .node))
        #expect(config.signingPairs.isEmpty, "who signs is no concern of workers")
    }

    @Test("log, diff and revert tell and undo what was done")
    func undo() async throws {
        var bench = try await Bench.withGeneration()
        let before = try await bench.store.read(ClusterLayout(clusterName: "demo.example.com").instanceGroup("nodes"))
        try await bench.edit("instancegroups nodes", "  maxSize: 1\n  minSize: 1", "  maxSize: 3\n  minSize: 3")
        var text = ""
        for line in [
            "update cluster demo.example.com --yes", "log demo.example.com", "diff --name demo.example.com",
            "diff 2 2 --name demo.example.com", "revert 1 --name demo.example.com",
            "revert 1 --name demo.example.com --yes", "log demo.example.com", "diff 1 3 --name demo.example.com",
            "update cluster demo.example.com", "log demo.example.com -o json --limit 1",
        ] {
            text += "$ \(line)\n" + (await bench.run(line).text)
        }
        try expectGolden(text, "history.txt")
        let after = try await bench.store.read(ClusterLayout(clusterName: "demo.example.com").instanceGroup("nodes"))
        #expect(after?.bytes == before?.bytes)
    }

    @Test(
        "what cannot be undone is refused",
        arguments: [
            "revert 7 --name demo.example.com", "revert 0 --name demo.example.com", "diff 9 --name demo.example.com",
            "diff --name demo.example.com", "log other.example.com", "log demo.example.com --limit 0",
        ]
    )
    func refusals(_ line: String) async throws {
        let bench = try await Bench.withGeneration()
        let writes = await bench.store.count
        let result = await bench.run(line)
        #expect(result.code == 1)
        #expect(result.notes.split(separator: "\n").count == 1, "\(result.notes)")
        #expect(await bench.store.count == writes)
    }

    @Test("etcd's data is not given to a release that cannot take it", arguments: ["", "--yes"])
    func etcdVersion(option: String) async throws {
        var bench = try await Bench.withGeneration()
        try await bench.edit("all", "    name: main\n", "    name: main\n    version: 3.6.4\n")
        let writes = await bench.store.count
        let result = await bench.run("update cluster demo.example.com", option)
        #expect(result.code == 1)
        let text = "etcd main of demo.example.com cannot be changed: 3.6.4 skips a minor release after 3.4.23"
        #expect(result.notes.contains(text), "\(result.notes)")
        #expect(result.notes.contains("go to a release of 3.5 first"), "\(result.notes)")
        #expect(await bench.store.count == writes)
    }

    @Test("a revert brings back the declaration, not the keys")
    func keysStay() async throws {
        let bench = try await Bench.withGeneration()
        for line in [
            "create keypair etcd-clients-ca --force --name demo.example.com", "update cluster demo.example.com --yes",
            "revert 1 --yes --name demo.example.com",
        ] {
            let result = await bench.run(line)
            #expect(result.code == 0, "\(result.text)")
        }
        let repository = ClusterRepository(store: bench.store)
        let current = try await repository.generations(of: "demo.example.com").current()
        let config = try await JSONDecoder().decode(
            NodeConfig.self,
            from: Data(current.object(named: "nodes/control-plane-local-a.json"))
        )
        let keyset = try await repository.secrets(of: "demo.example.com").keyset("etcd-clients-ca").keyset
        #expect(keyset.pairs.count == 2)
        #expect(config.certificateAuthorities["etcd-clients-ca"] == keyset.bundle)
    }

    @Test("of two who change one object the second is shown both changes, and nothing of theirs is lost")
    func collision() async throws {
        var bench = try await Bench.withGeneration()
        let mine = await bench.run("get instancegroups nodes --name demo.example.com -o yaml").output
        try await bench.edit("instancegroups nodes", "  maxSize: 1\n  minSize: 1", "  maxSize: 3\n  minSize: 3")
        let writes = await bench.store.count
        bench.files["mine.yaml"] = mine.replacing("  nodeLabels:\n", with: "  nodeLabels:\n    team: blue\n")
        var text = ""
        for line in ["replace -f mine.yaml", "replace -f mine.yaml --force"] {
            text += "$ \(line)\n" + (await bench.run(line).text)
            if !line.hasSuffix("--force") { #expect(await bench.store.count == writes) }
        }
        try expectGolden(text, "collision.txt")
    }
}
