// SPDX-License-Identifier: Apache-2.0
import Clouds
import Foundation
import KopsModel
import StateStore
import Testing

@testable import KopsLite

/// What three control-plane machines are made and told.
@Suite struct ThreeControlPlanesTests {
    private func bench(_ count: Int) async throws -> Bench {
        var bench = Bench()
        bench.isReal = true
        for line in [
            "create cluster demo.example.com --control-plane-count \(count) --file-repository \(RepositoryHTTP.url)",
            "update cluster demo.example.com --yes",
        ] {
            let result = await bench.run(line)
            try #require(result.code == 0, "\(result.text)")
        }
        return bench
    }

    @Test("each member of each etcd cluster has a volume on its own machine, labelled with itself and all")
    func volumes() async throws {
        let cluster = try await ClusterRepository(store: try await bench(3).store).resolved("demo.example.com")
        let volumes = DesiredVolumes(cluster: cluster).all
        #expect(
            volumes.map { "\($0.name) \($0.machine) \($0.zone)" } == [
                "a.etcd-main control-plane-local-a-1 local-a", "b.etcd-main control-plane-local-b-1 local-b",
                "c.etcd-main control-plane-local-c-1 local-c", "a.etcd-events control-plane-local-a-1 local-a",
                "b.etcd-events control-plane-local-b-1 local-b", "c.etcd-events control-plane-local-c-1 local-c",
            ]
        )
        #expect(volumes[1].labels["k8s.io/etcd/main"] == "b/a,b,c")
        #expect(volumes[3].labels["k8s.io/etcd/events"] == "a/a,b,c")
    }

    private func config(_ name: String, _ bench: Bench) async throws -> NodeConfig {
        let generation = try await ClusterRepository(store: bench.store).generations(of: "demo.example.com").current()
        return try await JSONDecoder().decode(
            NodeConfig.self,
            from: Data(generation.object(named: "nodes/\(name).json"))
        )
    }

    @Test("every machine is told the one address, and control planes both etcd clusters")
    func told() async throws {
        let bench = try await bench(3)
        for name in ["control-plane-local-a", "control-plane-local-b", "control-plane-local-c", "nodes"] {
            let config = try await config(name, bench)
            #expect(config.network.apiAddress == "10.64.0.254")
            let clusters = config.controlPlane?.etcdClusters.map { "\($0.name) \($0.members.joined())" }
            #expect(clusters == (name == "nodes" ? nil : ["main abc", "events abc"]))
        }
    }

    @Test("a single one is told of no address and of main alone, and its file names neither")
    func single() async throws {
        let bench = try await bench(1)
        let config = try await config("control-plane-local-a", bench)
        #expect(config.network.apiAddress == nil)
        #expect(config.controlPlane?.etcdClusters.map(\.name) == ["main"])
        let generation = try await ClusterRepository(store: bench.store).generations(of: "demo.example.com").current()
        let text = String(decoding: try await generation.object(named: "nodes/nodes.json"), as: UTF8.self)
        #expect(!text.contains("apiAddress"))
    }
}
