// SPDX-License-Identifier: Apache-2.0
import KopsModel
import StateStore
import Testing

@testable import KopsLite

@Suite struct AccessTests {
    let layout = ClusterLayout(clusterName: "demo.example.com")

    @Test("policies say what the access says", arguments: InstanceRole.allCases)
    func policies(_ role: InstanceRole) throws {
        let access = StoreAccess(of: role, in: layout, group: "nodes", instance: "nodes-1")
        for (url, name) in [("s3://state/team?region=eu-west-1", "aws"), ("gs://state", "gcs")] {
            let location = try #require(BucketLocation(url: url))
            let document =
                name == "aws"
                ? AWSPolicy(access: access, location: location).document
                : GCSPolicy(access: access, location: location).document
            try expectGolden(
                String(decoding: document.encoded(), as: UTF8.self),
                "policy-\(name)-\(role.rawValue).json"
            )
        }
    }

    @Test("only buckets have a location")
    func locations() {
        #expect(BucketLocation(url: "s3://b/p/q/?x=y")?.prefix == "p/q")
        #expect(BucketLocation(url: "gs://b")?.prefix == "")
        for url in ["file:///b/p", "https://b/p", "s3://", "b/p", ""] { #expect(BucketLocation(url: url) == nil) }
    }

    @Test("preflight finds what machines would miss, each with its code")
    func preflight() async throws {
        let bench = try await Bench.withGeneration()
        let untouched = await bench.store.keys
        let whole = await bench.run("preflight demo.example.com").output
        #expect(await bench.store.keys == untouched, "what was tried is gone")
        #expect(!whole.contains("node (nodes-1): reads its secrets: "), "\(whole)")
        try await bench.store.remove(layout.secret("bootstrap-token", for: .node), when: .always)
        try await bench.store.write([1], to: layout.object("nodes/nodes.json", in: 1), when: .always)
        let keys = await bench.store.keys
        let broken = await bench.run("preflight demo.example.com")
        #expect(broken.code == 2)
        #expect(broken.output.contains("FAILED\tnode (nodes-1): reads its secrets: "))
        #expect(broken.output.contains("[generation-object-altered]"))
        #expect(await bench.store.keys == keys, "what was tried is gone")
    }

    @Test("who may not remove backups hears of it before they fill the store, and nothing is left there")
    func removal() async throws {
        let bench = try await Bench.withGeneration()
        let cluster = try await ClusterRepository(store: bench.store).resolved("demo.example.com")
        let machine = try #require(cluster.machines.first { $0.role == .controlPlane })
        func trial(_ store: any StateStore) throws -> () async throws -> Void {
            let trial = RoleTrial(store: store, machine: machine, layout: layout, trust: [], readerKey: nil)
            return try #require(trial.attempts.first { $0.name == "removes old backups of etcd" }).attempt
        }
        let keys = await bench.store.keys
        try await trial(bench.store)()
        let access = StoreAccess(of: .node, in: layout)
        await #expect(throws: StoreError.self) { try await trial(RestrictedStore(bench.store, to: access))() }
        #expect(await bench.store.keys == keys)
    }

    @Test("the access of a role is all that its trial needs", arguments: InstanceRole.allCases)
    func trialsFitTheAccess(_ role: InstanceRole) async throws {
        let bench = try await Bench.withGeneration()
        let repository = ClusterRepository(store: bench.store)
        let cluster = try await repository.resolved("demo.example.com")
        let machine = try #require(cluster.machines.first { $0.role == role })
        let keyring = try await repository.keyringPlace(of: cluster.name).existing()
        let access = StoreAccess(of: role, in: layout, group: machine.group, instance: machine.name)
        let trial = RoleTrial(
            store: RestrictedStore(bench.store, to: access),
            machine: machine,
            layout: layout,
            trust: keyring.trust,
            readerKey: try keyring.key(of: SecretReader(role))
        )
        for (name, attempt) in trial.attempts {
            await #expect(throws: Never.self, "\(name)") { try await attempt() }
        }
    }
}
