// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel

@testable import StateStore

/// The bytes of a store, which nobody but a test changes.
struct FrozenStore: StateStore {
    var objects: [StoreKey: [UInt8]] = [:]
    var url: String { "frozen://" }

    /// A copy of what a store holds.
    init(_ store: MemoryStore) async throws {
        for key in await store.list(try StoreKey(parts: [])) { objects[key] = await store.read(key)?.bytes }
    }

    func read(_ key: StoreKey) -> StoredObject? {
        // Nobody writes, so nobody asks for versions, and a digest for each read would cost more than the read.
        objects[key].map { StoredObject(bytes: $0, version: ObjectVersion("frozen")) }
    }

    func list(_ prefix: StoreKey) -> [StoreKey] {
        objects.keys.filter { $0.parts.count > prefix.parts.count && $0.parts.starts(with: prefix.parts) }.sorted()
    }

    func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) throws -> ObjectVersion {
        throw StoreError.unavailable(url: url, reason: "it is frozen")
    }

    func remove(_ key: StoreKey, when condition: WriteCondition) throws {
        throw StoreError.unavailable(url: url, reason: "it is frozen")
    }
}

/// A cluster with three generations, and what else an attacker may have: other clusters, and what was signed before.
struct TamperScene: Sendable {
    static let now = Date(timeIntervalSince1970: 1_700_000_000)
    static let generations = 3

    let layout = ClusterLayout(clusterName: "a.example.com")
    let neighbour = ClusterLayout(clusterName: "b.example.com")
    let stranger = ClusterLayout(clusterName: "c.example.com")
    /// The keys that the cluster trusts, of which the first signs everything, and one more whose time is over.
    let signers = [SigningKey(notAfter: .distantFuture), SigningKey(notAfter: .distantFuture)]
    let expired = SigningKey(notAfter: now.addingTimeInterval(-1))
    let untrusted = SigningKey(notAfter: .distantFuture)

    /// The cluster, a neighbour with the same keys, and a stranger with other keys.
    let store: FrozenStore
    /// A cluster of the same name with other keys.
    let namesake: FrozenStore
    /// The same cluster, where somebody with its keys published another third generation.
    let fork: FrozenStore
    /// What a machine must read.
    let expected: [String: [UInt8]]
    /// What a machine has followed, by its number; it trusts the expired key too.
    let followed: [Int: FollowedGeneration]

    init() async throws {
        let here = MemoryStore()
        var followed: [Int: FollowedGeneration] = [:]
        let trust = (signers + [expired]).map(\.trusted)
        for number in 1...Self.generations {
            try await Self.publish(number, layout, signers[0], in: here)
            let generation = try await GenerationReader(store: here, layout: layout, trust: HeadTrust(trust)).current()
            followed[number] = FollowedGeneration(number: number, manifest: generation.digest, trust: trust)
        }
        for number in 1...Self.generations {
            try await Self.publish(number, neighbour, signers[0], in: here)
            try await Self.publish(number, stranger, untrusted, in: here)
        }
        let namesake = MemoryStore()
        let fork = MemoryStore()
        for number in 1...Self.generations {
            try await Self.publish(number, layout, untrusted, in: namesake, salt: "namesake")
            try await Self.publish(number, layout, signers[0], in: fork, salt: number == Self.generations ? "fork" : "")
        }
        self.followed = followed
        self.namesake = try await FrozenStore(namesake)
        self.fork = try await FrozenStore(fork)
        store = try await FrozenStore(here)
        expected = Self.objects(Self.generations, layout)
    }

    private static func objects(_ number: Int, _ layout: ClusterLayout, salt: String = "") -> [String: [UInt8]] {
        let text = "\(layout.clusterName) \(number) \(salt)"
        return [
            "nodes/nodes.json": Array("{\"of\": \"\(text)\"}".utf8), "addons/dns.json": Array("[\"\(text)\"]".utf8),
            "assets.lock.json": Array("\(text)".utf8),
        ]
    }

    private static func publish(
        _ number: Int,
        _ layout: ClusterLayout,
        _ key: SigningKey,
        in store: MemoryStore,
        salt: String = ""
    ) async throws {
        let reader = GenerationReader(store: store, layout: layout, trust: HeadTrust([key.trusted]))
        try await GenerationWriter(store: store, layout: layout, signers: [key], author: "a@b").publish(
            objects: objects(number, layout, salt: salt),
            previous: reader.head(),
            message: "m",
            now: now
        )
    }

    /// A machine of the cluster that has followed a generation: everything it reads, or why it reads nothing.
    func read(_ store: FrozenStore, after followed: FollowedGeneration) async throws -> [String: [UInt8]] {
        let trust = HeadTrust(followed.trust, now: { Self.now })
        let reader = GenerationReader(store: store, layout: layout, trust: trust)
        return try await reader.current(after: followed).objects()
    }
}
