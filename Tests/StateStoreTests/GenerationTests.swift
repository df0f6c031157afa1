// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Testing

@testable import StateStore

/// A store that dies before or after its n-th change, as a machine that loses power would.
private actor DyingStore: StateStore {
    struct Died: Error {}
    nonisolated let url: String
    private let real: any StateStore
    private var left: Int
    private let afterwards: Bool

    init(_ real: any StateStore, changes: Int, afterwards: Bool) {
        self.real = real
        url = real.url
        left = changes
        self.afterwards = afterwards
    }

    func read(_ key: StoreKey) async throws -> StoredObject? { try await real.read(key) }
    func list(_ prefix: StoreKey) async throws -> [StoreKey] { try await real.list(prefix) }

    func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) async throws -> ObjectVersion {
        if left == 0 {
            if afterwards { try await real.write(bytes, to: key, when: condition) }
            throw Died()
        }
        left -= 1
        return try await real.write(bytes, to: key, when: condition)
    }

    func remove(_ key: StoreKey, when condition: WriteCondition) async throws { throw Died() }
}

@Suite struct GenerationTests {
    let layout = ClusterLayout(clusterName: "a.example.com")
    let now = Date(timeIntervalSince1970: 1_700_000_000)
    let objects: [String: [UInt8]] = ["nodes/a.json": [1, 2], "nodes/b.json": [], "addons/dns.json": [3]]

    let key = SigningKey(notAfter: .distantFuture)

    func reader(_ store: any StateStore) -> GenerationReader {
        GenerationReader(store: store, layout: layout, trust: HeadTrust([key.trusted]))
    }
    func writer(_ store: any StateStore) -> GenerationWriter {
        GenerationWriter(store: store, layout: layout, signers: [key], author: "test@host")
    }

    func code(_ code: String) -> (any Error) -> Bool { { ($0 as? GenerationError)?.code == code } }

    @Test func whatIsPublishedIsWhatIsFollowed() async throws {
        let store = MemoryStore()
        var head: PublishedHead?
        for number in 1...3 {
            let mine = objects.merging(["number": [UInt8(number)]]) { $1 }
            head = try await writer(store).publish(objects: mine, previous: head, message: "test", now: now)
            let generation = try await reader(store).current()
            #expect(generation.number == number)
            #expect(generation.manifest.created == "2023-11-14T22:13:20Z")
            #expect(Set(generation.manifest.objects.keys) == Set(mine.keys))
            for (name, bytes) in mine { #expect(try await generation.object(named: name) == bytes) }
            #expect(try await reader(store).head() == head)
        }
    }

    @Test func nothingPublishedIsAnErrorWithTheRemedy() async {
        await #expect { _ = try await reader(MemoryStore()).current() } throws: { error in
            let error = error as? GenerationError
            return error?.code == "generation-not-published"
                && error?.hint == "run kopslite update cluster a.example.com --yes"
        }
    }

    @Test(arguments: ["", "{", "[]", "{\"generation\":0,\"manifest\":\"\"}", "{\"generation\":\"1\"}", "\u{0}"])
    func aDamagedHeadIsUnreadable(_ text: String) async throws {
        let store = MemoryStore()
        try await store.write(Array(text.utf8), to: layout.head(), when: .always)
        await #expect(performing: { _ = try await reader(store).current() }, throws: code("generation-head-unreadable"))
    }

    @Test func everyAlterationIsFoundWithItsOwnCode() async throws {
        let store = MemoryStore()
        try await writer(store).publish(objects: objects, previous: nil, message: "test", now: now)
        let object = try layout.object("nodes/a.json", in: 1)
        try await store.write([9], to: object, when: .always)
        let generation = try await reader(store).current()
        await #expect(
            performing: { _ = try await generation.object(named: "nodes/a.json") },
            throws: code("generation-object-altered")
        )
        try await store.remove(object, when: .always)
        await #expect(
            performing: { _ = try await generation.object(named: "nodes/a.json") },
            throws: code("generation-object-missing")
        )
        await #expect(
            performing: { _ = try await generation.object(named: "nodes/z.json") },
            throws: code("generation-object-unlisted")
        )
        let manifest = try await #require(store.read(layout.manifest(1)))
        try await store.write(manifest.bytes + [0x20], to: layout.manifest(1), when: .always)
        await #expect(
            performing: { _ = try await reader(store).current() },
            throws: code("generation-manifest-mismatch")
        )
        try await store.remove(layout.manifest(1), when: .always)
        await #expect(
            performing: { _ = try await reader(store).current() },
            throws: code("generation-manifest-missing")
        )
    }

    @Test func aManifestOfAnotherGenerationIsRefused() async throws {
        let store = MemoryStore()
        let first = try await writer(store).publish(objects: objects, previous: nil, message: "test", now: now)
        let manifest = try await #require(store.read(layout.manifest(1)))
        try await store.write(manifest.bytes, to: layout.manifest(2), when: .absent)
        // Even one who has the key cannot make one generation another.
        let head = try GenerationHead(
            cluster: layout.clusterName,
            generation: 2,
            manifest: first.head.manifest,
            signers: [key]
        )
        try await store.write(head.encoded(), to: layout.head(), when: .always)
        await #expect(
            performing: { _ = try await reader(store).current() },
            throws: code("generation-manifest-mismatch")
        )
    }

    @Test func olderGenerationsThanTheOneFollowedAreRefused() async throws {
        let store = MemoryStore()
        let first = try await writer(store).publish(objects: objects, previous: nil, message: "test", now: now)
        let old = try await #require(store.read(layout.head()))
        try await writer(store).publish(objects: objects, previous: first, message: "test", now: now)
        let second = try await reader(store).current().followed
        #expect(try await reader(store).current(after: second).number == 2)
        try await store.write(old.bytes, to: layout.head(), when: .always)
        await #expect(
            performing: { _ = try await reader(store).current(after: second) },
            throws: code("generation-older")
        )
    }

    @Test(arguments: [true, false]) func diedBetweenAnyTwoWritesTheOldGenerationStaysInForce(
        _ afterwards: Bool
    ) async throws {
        // Three objects, a manifest and a head: the fifth change is the one that counts.
        for changes in 0..<5 {
            let store = MemoryStore()
            let first = try await writer(store).publish(objects: objects, previous: nil, message: "test", now: now)
            let dying = DyingStore(store, changes: changes, afterwards: afterwards)
            await #expect(throws: DyingStore.Died.self) {
                try await writer(dying).publish(
                    objects: objects.mapValues { $0 + [1] },
                    previous: first,
                    message: "test",
                    now: now
                )
            }
            let landed = changes == 4 && afterwards
            let inForce = try await reader(store).current()
            #expect(inForce.number == (landed ? 2 : 1))
            for (name, bytes) in objects {
                #expect(try await inForce.object(named: name) == (landed ? bytes + [1] : bytes))
            }
            // The next publisher is not in the way of the left-overs.
            let head = try await reader(store).head()
            try await writer(store).publish(
                objects: objects.mapValues { $0 + [2] },
                previous: head,
                message: "test",
                now: now
            )
            let next = try await reader(store).current()
            for (name, bytes) in objects { #expect(try await next.object(named: name) == bytes + [2]) }
        }
    }

    @Test(arguments: StoreContractTests.Backend.allCases)
    func ofManyPublishersExactlyOneWins(_ backend: StoreContractTests.Backend) async throws {
        try await backend.run { store in
            var head = try await writer(store).publish(objects: objects, previous: nil, message: "test", now: now)
            for round in 0..<3 {
                let previous = head
                let winners = try await withThrowingTaskGroup(of: PublishedHead?.self) { group in
                    for publisher in 0..<12 {
                        group.addTask {
                            // Sets of names that overlap in part are the hard case.
                            let mine = [
                                "common": [UInt8(publisher)], "only-\(publisher % 5)": [UInt8(round)],
                                "z-\(publisher % 3)": [UInt8(publisher)],
                            ]
                            do {
                                return try await writer(store).publish(
                                    objects: mine,
                                    previous: previous,
                                    message: "test",
                                    now: now
                                )
                            } catch let error as GenerationError where error.code == "generation-raced" {
                                return nil
                            }
                        }
                    }
                    return try await group.reduce(into: [PublishedHead]()) { if let head = $1 { $0.append(head) } }
                }
                #expect(winners.count == 1)
                head = try #require(winners.first)
                let generation = try await reader(store).current()
                #expect(generation.number == head.head.generation && generation.number > previous.head.generation)
                for name in generation.manifest.objects.keys { _ = try await generation.object(named: name) }
            }
        }
    }

    @Test(arguments: ["-1", "0", "+7", "1e3", "x", "99999999999999999999"])
    func whatIsNoGenerationIsInNobodysWay(_ name: String) async throws {
        let store = MemoryStore()
        try await store.write([1], to: layout.key("generations", name, "manifest.json"), when: .absent)
        let head = try await writer(store).publish(objects: objects, previous: nil, message: "test", now: now)
        #expect(try await reader(store).current().number == head.head.generation)
    }

    /// Whoever can write to the store can take the last number; that is an error, not a crash.
    @Test func behindTheLastNumberThereIsNone() async throws {
        let store = MemoryStore()
        let head = try await writer(store).publish(objects: objects, previous: nil, message: "test", now: now)
        try await store.write([1], to: layout.manifest(.max), when: .absent)
        let error = await #expect(throws: StoreError.self) {
            try await writer(store).publish(objects: objects, previous: head, message: "test", now: now)
        }
        #expect(error?.code == "store-object-damaged")
        #expect(error?.description.contains("generations/9223372036854775807") == true)
        #expect(try await reader(store).head() == head)
    }

    @Test(arguments: ["", "/a", "a//b", "../a", "a/"]) func objectNamesAreKeys(_ name: String) async throws {
        let store = MemoryStore()
        await #expect(throws: StoreError.self) {
            try await writer(store).publish(objects: [name: [1]], previous: nil, message: "test", now: now)
        }
        #expect(try await reader(store).head() == nil)
    }
}
