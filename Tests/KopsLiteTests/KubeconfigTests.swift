// SPDX-License-Identifier: Apache-2.0
import Clouds
import Foundation
import KopsModel
import NodeOS
import PKI
import StateStore
import Testing

@testable import KopsLite

@Suite("kubeconfig and delete")
struct KubeconfigTests {
    private func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kopslite-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await body(folder)
    }

    private static let others = """
        # mine
        apiVersion: v1
        kind: Config
        current-context: work
        preferences: {}
        clusters:
        - name: work
          cluster: {server: "https://work", insecure-skip-tls-verify: true}
        contexts:
        - name: work
          context: {cluster: work, user: me, namespace: "1"}
        users:
        - name: me
          user:
            exec: {apiVersion: client.authentication.k8s.io/v1, command: login, args: ["no", "1.0"]}

        """

    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test("a new file holds the cluster alone, for its owner alone")
    func new() async throws {
        try await withFolder { folder in
            var bench = try await Bench.withCluster()
            bench.environment["HOME"] = folder
            let result = await bench.run("export kubeconfig demo.example.com --admin")
            #expect(result.output == "kopslite has set your kubectl context to demo.example.com\n")
            let path = folder + "/.kube/config"
            try expectGolden(String(contentsOfFile: path, encoding: .utf8), "kubeconfig-new.yaml")
            #expect(try mode(path) == 0o600)
            #expect(try mode(folder + "/.kube") == 0o700)
        }
    }

    @Test("a certificate that is valid for no time is refused")
    func noValidity() async throws {
        let bench = try await Bench.withCluster()
        let result = await bench.run("export kubeconfig demo.example.com --admin --validity 0s --kubeconfig /dev/null")
        #expect(result.code != 0 && result.text.contains("--validity needs more than no time"), "\(result.text)")
    }

    @Test("several API servers are reached at one address, once one of them is there", arguments: [1, 3])
    func server(count: Int) async throws {
        var bench = Bench()
        bench.isReal = true
        let lines = [
            "create cluster demo.example.com --control-plane-count \(count) --file-repository \(RepositoryHTTP.url)",
            "update cluster demo.example.com --yes",
        ]
        for line in lines {
            let result = await bench.run(line)
            try #require(result.code == 0, "\(result.text)")
        }
        let repository = ClusterRepository(store: bench.store)
        let cluster = try await repository.resolved("demo.example.com")
        let now = Date(timeIntervalSince1970: 1_700_000_000)
        let access = ControlPlaneAccess(repository: repository, cluster: cluster, now: now)
        let early = await #expect(throws: Failure.self) { try await access.credentials(lifetime: .seconds(3600)) }
        #expect(early?.code == "no-api-endpoint")
        try await APIEndpoints(store: bench.store, layout: ClusterLayout(clusterName: cluster.name))
            .publish(EndpointRecord(address: "10.64.0.10", port: 443, updated: now), of: "control-plane-local-a-1")
        let credentials = try await access.credentials(lifetime: .seconds(3600))
        #expect(credentials.server == "https://10.64.0.\(count == 1 ? 10 : 254):443")
        #expect(credentials.serverName == "api.internal.demo.example.com")
        let until = try CertificateInspector.inspect(pem: credentials.certificate).notAfter
        #expect(
            until == now.addingTimeInterval(3600),
            "to the second, for whoever holds it is an administrator so long"
        )
    }

    @Test("entries of others stay as they are, exporting twice changes nothing, delete takes only its own away")
    func merge() async throws {
        try await withFolder { folder in
            var bench = try await Bench.withCluster()
            let path = folder + "/config"
            try Self.others.write(toFile: path, atomically: true, encoding: .utf8)
            bench.environment["KUBECONFIG"] = "\(folder)/missing:\(path)"
            #expect(await bench.run("export kubeconfig demo.example.com --admin").code == 0)
            let once = try String(contentsOfFile: path, encoding: .utf8)
            try expectGolden(once, "kubeconfig-merged.yaml")
            #expect(await bench.run("export kubeconfig demo.example.com --admin").code == 0)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == once)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["config"])

            #expect(await bench.run("delete cluster demo.example.com --yes").code == 0)
            var expected = try #require(try YamlDocument.all(in: Self.others, file: "f").first?.value)
            let found = try #require(
                try YamlDocument.all(in: String(contentsOfFile: path, encoding: .utf8), file: "f").first?.value
            )
            expected["current-context"] = ""
            #expect(found == expected)
        }
    }

    @Test(
        "what is no kubeconfig is left alone",
        arguments: ["[]", "text", "clusters: {}\n", "a: [", "a: 1\n---\nb: 2\n"]
    )
    func damaged(text: String) async throws {
        try await withFolder { folder in
            let bench = try await Bench.withCluster()
            let path = folder + "/config"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(await bench.run("export kubeconfig demo.example.com --admin --kubeconfig \(path)").code == 1)
            #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        }
    }

    @Test("a symbolic link stays one")
    func link() async throws {
        try await withFolder { folder in
            let bench = try await Bench.withCluster()
            try FileManager.default.createDirectory(atPath: folder + "/real", withIntermediateDirectories: false)
            try Self.others.write(toFile: folder + "/real/config", atomically: true, encoding: .utf8)
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/link",
                withDestinationPath: folder + "/real/config"
            )
            #expect(await bench.run("export kubeconfig demo.example.com --admin --kubeconfig \(folder)/link").code == 0)
            #expect(
                try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/link") == folder + "/real/config"
            )
            #expect(try String(contentsOfFile: folder + "/real/config", encoding: .utf8).contains("demo.example.com"))
        }
    }

    @Test("delete shows what it would remove, then leaves nothing, and may be repeated")
    func delete() async throws {
        var bench = try await Bench.withCluster()
        bench.cloud = TestCloud(machines: [
            CloudInventory.Machine(
                name: "nodes-1",
                instanceGroup: "nodes",
                role: .node,
                zone: "local-a",
                address: "10.64.0.3",
                state: "running"
            )
        ])
        try await bench.report(.sample("nodes-1", .converged))
        let preview = await bench.run("delete cluster demo.example.com")
        let first = await bench.run("delete cluster demo.example.com --yes")
        let second = await bench.run("delete cluster demo.example.com --yes")
        try expectGolden(preview.text + first.text + second.text, "delete.txt")
        #expect(await bench.store.keys.isEmpty)
        #expect(await bench.cloud.deleted == ["demo.example.com"])
    }

    @Test("times", arguments: [("10m", 600), ("1h30m", 5400), ("90s", 90), ("0s", 0)])
    func durations(text: String, seconds: Int) {
        #expect(DurationArgument(argument: text)?.duration == .seconds(seconds))
    }

    @Test("what is no time", arguments: ["", "10", "m", "10x", "-1m", "1.5h", "99999999999999999999s"])
    func badDurations(text: String) { #expect(DurationArgument(argument: text) == nil) }

    @Test("tables are laid out with tabs as kops does, and a cell cannot break out of its row")
    func tables() {
        let table = Table(
            ["NAME", "CLOUD", "ZONES"],
            rows: [["minimal.example.com", "aws", "a\n\tb"], ["a", "b", ""]]
        )
        #expect(table.text == "NAME\t\t\tCLOUD\tZONES\na\t\t\tb\t\nminimal.example.com\taws\ta  b\n")
    }
}
