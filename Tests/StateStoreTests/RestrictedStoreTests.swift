// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeTesting
import Testing

@testable import StateStore

/// A machine's view of a store: what it may do is done, what it may not do never reaches the store.
@Suite struct RestrictedStoreTests {
    private static let layout = ClusterLayout(clusterName: "a.example.com")
    private static let now = Date(timeIntervalSince1970: 1_700_000_000)

    /// A store that says what it was asked for.
    private actor AskedStore: StateStore {
        nonisolated let url = "memory://"
        private let store = MemoryStore()
        private(set) var asked: [StoreKey] = []

        func read(_ key: StoreKey) async -> StoredObject? {
            asked.append(key)
            return await store.read(key)
        }

        func list(_ prefix: StoreKey) async -> [StoreKey] {
            asked.append(prefix)
            return await store.list(prefix)
        }

        func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) async throws -> ObjectVersion {
            asked.append(key)
            return try await store.write(bytes, to: key, when: condition)
        }

        func remove(_ key: StoreKey, when condition: WriteCondition) async throws {
            asked.append(key)
            try await store.remove(key, when: condition)
        }
    }

    private func isDenied(_ body: () async throws -> Void) async throws -> Bool {
        do {
            try await body()
            return false
        } catch StoreError.refused(let refusal) {
            #expect(refusal.code == "store-denied" && refusal.url == "memory://")
            return true
        }
    }

    @Test(arguments: InstanceRole.allCases, Seeded.seeds(20)) func whatIsDeniedNeverReachesTheStore(
        _ role: InstanceRole,
        _ seed: UInt64
    ) async throws {
        var random = Seeded(seed)
        let access = StoreAccess(of: role, in: Self.layout, group: "workers", instance: "workers-1")
        let store = AskedStore()
        let restricted = RestrictedStore(store, to: access)
        let keys = try Self.keys()
        for _ in 0..<100 {
            let key = try #require(keys.randomElement(using: &random))
            let before = await store.asked
            let bytes = [UInt8.random(in: 0...255, using: &random)]
            let (isDenied, isAllowed) =
                switch Int.random(in: 0..<4, using: &random) {
                case 0: (try await isDenied { _ = try await restricted.read(key) }, access.allows(.read, key))
                case 1: (try await isDenied { _ = try await restricted.list(key) }, access.allowsList(key))
                case 2:
                    (
                        try await isDenied { try await restricted.remove(key, when: .always) },
                        access.allows(.remove, key)
                    )
                default:
                    (
                        try await isDenied { try await restricted.write(bytes, to: key, when: .always) },
                        access.allows(.write, key)
                    )
                }
            #expect(isDenied != isAllowed, "\(random): \(key)")
            #expect(await store.asked == before + (isAllowed ? [key] : []), "\(random): \(key)")
        }
    }

    /// Every place of the layout, for this machine and for others.
    private static func keys() throws -> [StoreKey] {
        let others = ClusterLayout(clusterName: "b.example.com")
        let both = try [layout, others].flatMap { layout in
            try [
                layout.root(), layout.declared(), layout.cluster(), layout.instanceGroup("workers"), layout.head(),
                layout.generations(), layout.manifest(1), layout.object("nodes/workers.json", in: 1),
                layout.object("nodes/others.json", in: 1), layout.object("assets.lock.json", in: 1),
                layout.object("addons/dns.json", in: 1), layout.object("spec/cluster.json", in: 1),
                layout.keyset("kubernetes-ca"), layout.trust(), layout.keyring(), layout.statuses(),
                layout.status(of: "nodeup", on: "workers-1"), layout.status(of: "nodeup", on: "workers-2"),
                layout.drift(on: "workers-1"), layout.endpoints(), layout.etcdIdentity("main"), layout.key("etcd"),
                layout.backups(of: "main"), layout.backup("b", "meta.json", of: "main"),
            ] + SecretReader.allCases.map { try layout.secret("s", for: $0) }
        }
        return both
    }

    /// A cluster with a generation, a secret for every reader, and room for endpoints.
    private static func cluster(_ keyring: Keyring) async throws -> MemoryStore {
        let store = MemoryStore()
        let objects: [String: [UInt8]] = [
            "nodes/workers.json": [1], "assets.lock.json": [2], "addons/dns.json": [3], "spec/cluster.json": [4],
        ]
        try await GenerationWriter(store: store, layout: layout, signers: keyring.signing, author: "a@b")
            .publish(objects: objects, previous: nil, message: "m", now: now)
        for reader in SecretReader.allCases {
            try await SecretStore(store: store, layout: layout)
                .write([5], as: "s", for: reader, keyring: keyring, when: .absent)
        }
        try await APIEndpoints(store: store, layout: layout).prepare()
        return store
    }

    /// What a machine of each role does at a boot, with its own permissions.
    @Test(arguments: InstanceRole.allCases) func aRoleReadsWhatIsItsOwn(_ role: InstanceRole) async throws {
        let keyring = Keyring(cluster: Self.layout.clusterName, notAfter: .distantFuture)
        let access = StoreAccess(of: role, in: Self.layout, group: "workers", instance: "workers-1")
        let mine = RestrictedStore(try await Self.cluster(keyring), to: access)
        let trust = HeadTrust(keyring.trust)
        let generation = try await GenerationReader(store: mine, layout: Self.layout, trust: trust).current()
        #expect(try await generation.object(named: "nodes/workers.json") == [1])
        #expect(try await generation.object(named: "assets.lock.json") == [2])
        #expect(try await isDenied { _ = try await generation.object(named: "spec/cluster.json") })
        let isDenied = try await isDenied { _ = try await generation.object(named: "addons/dns.json") }
        #expect(isDenied == (role == .node))
        let secrets = SecretStore(store: mine, layout: Self.layout)
        for reader in SecretReader.allCases {
            let key = try keyring.key(of: reader)
            if reader == (role == .node ? .node : .controlPlane) {
                #expect(try await secrets.read("s", of: reader, with: key)?.bytes == [5])
            } else {
                #expect(try await self.isDenied { _ = try await secrets.read("s", of: reader, with: key) })
            }
        }
    }

    @Test(arguments: InstanceRole.allCases) func aRoleWritesWhatIsItsOwn(_ role: InstanceRole) async throws {
        let layout = Self.layout
        let keyring = Keyring(cluster: layout.clusterName, notAfter: .distantFuture)
        let access = StoreAccess(of: role, in: layout, group: "workers", instance: "workers-1")
        let mine = RestrictedStore(try await Self.cluster(keyring), to: access)
        try await mine.write([6], to: layout.status(of: "nodeup", on: "workers-1"), when: .always)
        let endpoints = try APIEndpoints(store: mine, layout: layout)
        #expect(try await endpoints.records().isEmpty)
        let record = EndpointRecord(address: "10.0.0.1", port: 443, updated: Self.now)
        guard role == .controlPlane else {
            #expect(try await isDenied { try await endpoints.publish(record, of: "workers-1") })
            return
        }
        try await endpoints.publish(record, of: "workers-1")
        let identity = try layout.etcdIdentity("main")
        let version = try await mine.write([7], to: identity, when: .absent)
        #expect(try await mine.read(identity) == StoredObject(bytes: [7], version: version))
        #expect(try await mine.list(layout.key("etcd")) == [identity])
        let meta = try layout.backup("b", "meta.json", of: "main")
        try await mine.write([8], to: meta, when: .absent)
        try await mine.remove(meta, when: .always)
        #expect(try await mine.list(layout.backups(of: "main")).isEmpty)
        #expect(try await isDenied { try await mine.remove(identity, when: .always) })
    }
}
