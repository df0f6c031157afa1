// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import KopsLite

@Suite("create, replace and get")
struct CreateTests {
    @Test("create cluster declares a cluster and says what comes next")
    func create() async throws {
        let bench = Bench()
        try expectGolden(await bench.run("create cluster demo.example.com").text, "create-cluster.txt")
        #expect(
            await bench.store.keys == [
                "demo.example.com/spec/cluster.json",
                "demo.example.com/spec/instancegroups/control-plane-local-a.json",
                "demo.example.com/spec/instancegroups/nodes.json",
            ]
        )
    }

    @Test("--dry-run prints what create -f reads, and writes nothing")
    func dryRun() async throws {
        var bench = Bench()
        let line =
            "create cluster demo.example.com --zones local-a,local-b --node-count 3 --dry-run -o yaml"
            + " --file-repository http://10.0.0.1/files --kubernetes-version v1.22.3"
        let result = await bench.run(line)
        try expectGolden(result.text, "create-dry-run.txt")
        #expect(await bench.store.count == 0)
        bench.files["demo.yaml"] = result.output
        try expectGolden(await bench.run("create -f demo.yaml").text, "create-file.txt")
        let shown = await bench.run("get all demo.example.com -o yaml").output
            .split(separator: "\n", omittingEmptySubsequences: false)
        #expect(shown.filter { !$0.hasPrefix("  resourceVersion: ") }.joined(separator: "\n") == result.output)
    }

    @Test(
        "three control-plane machines get a group each, dealt to the zones, and two etcd clusters",
        arguments: [
            ("local-a,local-b,local-c", "three-zones"), ("local-a,local-b", "two-zones"), ("local-a", "one-zone"),
        ]
    )
    func three(zones: String, name: String) async throws {
        let line = "create cluster demo.example.com --control-plane-count 3 --dry-run -o yaml --zones \(zones)"
        try expectGolden(await Bench().run(line).text, "create-\(name).txt")
    }

    @Test("--yes goes on to update")
    func yes() async throws {
        let bench = Bench()
        #expect(await bench.run("create cluster demo.example.com --yes").code == 0)
        #expect(await bench.run("update cluster demo.example.com").code == 0)
        #expect(bench.updates.all == ["demo.example.com true", "demo.example.com false"])
    }

    @Test("a second cluster gets another network")
    func networks() async throws {
        let bench = try await Bench.withCluster()
        let result = await bench.run("create cluster two.example.com --dry-run -o yaml")
        #expect(result.output.contains("networkCIDR: 10.64.1.0/24"))
    }

    @Test("get shows tables as kops lays them out, and documents")
    func get() async throws {
        let bench = try await Bench.withCluster("--zones local-a,local-b --node-count 2")
        let lines = [
            "get clusters", "get cluster demo.example.com -o json", "get ig --name demo.example.com",
            "get instancegroups nodes --name demo.example.com -o yaml", "get all demo.example.com",
            "get demo.example.com",
        ]
        var text = ""
        for line in lines { text += "$ \(line)\n" + (await bench.run(line)).text }
        try expectGolden(text, "get.txt")
    }

    static let badLines = [
        "--frobnicate", "frobnicate", "create", "create cluster", "create cluster demo",
        "create cluster Demo.example.com",
        "create cluster a.b c.d", "create cluster demo.example.com --zones local-a,local-q",
        "create cluster demo.example.com --zones local-a,local-a", "create cluster demo.example.com --zones ,",
        "create cluster demo.example.com --cloud aws", "create cluster demo.example.com --cloud lokal",
        "create cluster demo.example.com --node-count -1", "create cluster demo.example.com --node-count many",
        "create cluster demo.example.com --control-plane-count 2",
        "create cluster demo.example.com --kubernetes-version latest",
        "create cluster demo.example.com --kubernetes-version 1.19.1",
        "create cluster demo.example.com --kubernetes-version 1.25.0 --container-runtime docker",
        "create cluster demo.example.com --container-runtime rkt",
        "create cluster demo.example.com --networking calico",
        "create cluster demo.example.com --networking token-ring",
        "create cluster demo.example.com --file-repository files.example.com",
        "create cluster demo.example.com --dry-run", "create cluster demo.example.com -o yaml",
        "create cluster demo.example.com --name other.example.com",
        "create cluster demo.example.com --state s3://bucket",
        "create cluster demo.example.com --unknown-flag", "create -f missing.yaml",
        "get clusters", "get all demo.example.com", "get ig", "get ig --name demo.example.com -o xml",
        "update cluster", "update cluster demo.example.com", "validate cluster demo.example.com",
        "validate cluster demo.example.com --wait soon", "watch cluster demo.example.com",
        "delete cluster demo.example.com",
        "export kubeconfig demo.example.com --admin",
    ]

    @Test("bad input ends in one line with the remedy, and nothing is written")
    func badInput() async throws {
        var text = ""
        for line in Self.badLines {
            let bench = Bench()
            let result = await bench.run(line)
            #expect(result.code == 1, "\(result.text)")
            #expect(result.output.isEmpty)
            #expect(
                result.notes.hasPrefix("error: ") && result.notes.split(separator: "\n").count == 1,
                "\(result.notes)"
            )
            #expect(await bench.store.count == 0)
            text += "$ kopslite \(line)\n\(result.notes)"
        }
        try expectGolden(text, "bad-input.txt")
    }

    @Test(
        "help and version are results, not errors",
        arguments: ["", "--help", "help create cluster", "--version", "version"]
    )
    func help(line: String) async {
        let result = await Bench().run(line)
        #expect(result.code == 0 && !result.output.isEmpty && result.notes.isEmpty)
    }

    @Test("without a store the remedy is named")
    func noStore() async {
        var bench = Bench()
        bench.environment = [:]
        let result = await bench.run("get clusters")
        #expect(result.notes == "error: no state store is given; pass --state URL, or export KOPS_STATE_STORE\n")
    }

    @Test("a cluster that exists is left alone")
    func exists() async throws {
        let bench = try await Bench.withCluster()
        let before = await bench.store.count
        let result = await bench.run("create cluster demo.example.com")
        #expect(
            result.code == 1
                && result.notes.contains("cluster \"demo.example.com\" already exists; use kopslite update")
        )
        #expect(await bench.store.count == before)
    }

    @Test("a create that was cut short at any write is finished by the same command", arguments: [0, 1, 2])
    func interrupted(writes: Int) async throws {
        let bench = Bench()
        await bench.store.failAfter(writes: writes)
        let first = await bench.run("create cluster demo.example.com")
        #expect(first.code == 1)
        #expect(await bench.run("get clusters").notes.contains("no clusters found"))
        await bench.store.failAfter(writes: .max)
        if writes > 0 {
            #expect(first.notes.contains("run the same command again to finish"))
            let other = await bench.run("create cluster demo.example.com --zones local-b")
            #expect(other.code == 1)
        }
        #expect(await bench.run("create cluster demo.example.com").code == 0)
        #expect(await bench.store.keys.count == 3)
    }
}
