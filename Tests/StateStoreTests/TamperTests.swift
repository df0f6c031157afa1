// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeTesting
import Testing

@testable import StateStore

/// A published cluster that an attacker with write permission does everything to.
@Suite struct TamperTests {
    static let layout = ClusterLayout(clusterName: "a.example.com")
    static let key = SigningKey(notAfter: .distantFuture)
    static let now = Date(timeIntervalSince1970: 1_700_000_000)

    /// Two generations of two clusters with the same key, and one of a namesake with another.
    private struct Scene {
        var objects: [StoreKey: [UInt8]] = [:]
        /// What a machine of the first cluster must read.
        var expected: [String: [UInt8]] = [:]
        var followed: FollowedGeneration

        static func publish(
            _ layout: ClusterLayout,
            _ key: SigningKey,
            _ generations: Int,
            in store: MemoryStore
        ) async throws -> [String: [UInt8]] {
            let writer = GenerationWriter(store: store, layout: layout, signers: [key], author: "a@b")
            var head: PublishedHead?
            var objects: [String: [UInt8]] = [:]
            for number in 1...generations {
                objects = [
                    "nodes/nodes.json": Array("{\"cluster\": \"\(layout.clusterName)\", \"number\": \(number)}".utf8),
                    "nodes/control-plane.json": Array("{\"secret\": false}".utf8),
                    "addons/dns.json": Array("[\(number)]".utf8),
                ]
                head = try await writer.publish(objects: objects, previous: head, message: "m", now: now)
            }
            return objects
        }

        init() async throws {
            let store = MemoryStore()
            _ = try await Self.publish(TamperTests.layout, key, 1, in: store)
            let reader = TamperTests.reader(store)
            followed = try await reader.current().followed
            let first = try await reader.head()
            let writer = GenerationWriter(store: store, layout: TamperTests.layout, signers: [key], author: "a@b")
            expected = [
                "nodes/nodes.json": Array("{\"number\": 2}".utf8), "nodes/control-plane.json": Array("{}".utf8),
                "addons/dns.json": Array("[2]".utf8),
            ]
            try await writer.publish(objects: expected, previous: first, message: "m", now: now)
            _ = try await Self.publish(ClusterLayout(clusterName: "b.example.com"), key, 2, in: store)
            for key in await store.list(try StoreKey(parts: [])) { objects[key] = await store.read(key)?.bytes }
        }
    }

    private static func reader(_ store: any StateStore, _ keys: [TrustedKey] = [key.trusted]) -> GenerationReader {
        GenerationReader(store: store, layout: layout, trust: HeadTrust(keys, now: { now }))
    }

    /// What a machine reads: everything, or an error of the store's own kinds.
    private static func read(
        _ objects: [StoreKey: [UInt8]],
        after followed: FollowedGeneration?
    ) async throws -> (generation: Int, objects: [String: [UInt8]]) {
        let store = MemoryStore()
        for (key, bytes) in objects { try await store.write(bytes, to: key, when: .always) }
        let generation = try await reader(store).current(after: followed)
        return (generation.number, try await generation.objects())
    }

    /// One way to tamper with some bytes of the store; `nil` where it would change nothing.
    private static func tamper(_ objects: [StoreKey: [UInt8]], _ random: inout Seeded) -> [StoreKey: [UInt8]]? {
        var changed = objects
        let keys = objects.keys.filter { $0.parts[0] == layout.clusterName }.sorted()
        // The machine reads head, manifest and objects of generation 2; what else is there is no concern of its.
        let read = keys.filter { $0.parts[1] == "head" || $0.parts[2] == "2" }
        guard let key = read.randomElement(using: &random), var bytes = objects[key] else { return nil }
        switch Int.random(in: 0..<10, using: &random) {
        case 0...3 where !bytes.isEmpty:
            let place = Int.random(in: bytes.indices, using: &random)
            bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            changed[key] = bytes
        case 4 where !bytes.isEmpty: changed[key] = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
        case 5:
            let more = (0...Int.random(in: 0...4, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
            }
            let place = Int.random(in: 0...bytes.count, using: &random)
            changed[key] = Array(bytes[..<place] + more + bytes[place...])
        case 6: changed[key] = nil
        case 7: changed[key] = objects.values.randomElement(using: &random)
        case 8:
            // The same object of the other cluster, or of the generation before.
            var parts = key.parts
            if Bool.random(using: &random) || parts.count < 3 { parts[0] = "b.example.com" } else { parts[2] = "1" }
            changed[key] = (try? StoreKey(parts: parts)).flatMap { objects[$0] }
        default:
            guard let other = read.randomElement(using: &random) else { return nil }
            (changed[key], changed[other]) = (changed[other], changed[key])
        }
        return changed == objects ? nil : changed
    }

    @Test(arguments: Seeded.seeds(20)) func noAlterationIsEverFollowed(_ seed: UInt64) async throws {
        let scene = try await Scene()
        let whole = try await Self.read(scene.objects, after: scene.followed)
        #expect(whole.generation == 2 && whole.objects == scene.expected)
        var random = Seeded(seed)
        var tried = 0
        while tried < 600 {
            guard let tampered = Self.tamper(scene.objects, &random) else { continue }
            tried += 1
            do {
                let found = try await Self.read(tampered, after: scene.followed)
                Issue.record("\(random), case \(tried): generation \(found.generation) was followed")
            } catch let error as GenerationError {
                #expect(error.code.hasPrefix("generation-"))
            } catch is StoreError {
            }
        }
    }

    /// What each alteration is called.
    @Test func everyAlterationHasItsCode() async throws {
        let scene = try await Scene()
        let layout = Self.layout
        let head = try layout.head()
        func code(_ change: (inout [StoreKey: [UInt8]]) throws -> Void) async throws -> String {
            var objects = scene.objects
            try change(&objects)
            do {
                _ = try await Self.read(objects, after: scene.followed)
                return "followed"
            } catch {
                return (error as? GenerationError)?.code ?? "\(error)"
            }
        }
        let published = try JSONDecoder().decode(GenerationHead.self, from: Data(scene.objects[head] ?? []))
        func signed(_ signers: [SigningKey], generation: Int = 2, manifest: String? = nil) throws -> [UInt8] {
            try GenerationHead(
                cluster: layout.clusterName,
                generation: generation,
                manifest: manifest ?? published.manifest,
                signers: signers
            ).encoded()
        }
        let other = SigningKey(notAfter: .distantFuture)
        #expect(try await code { $0[head] = try signed([]) } == "generation-unsigned")
        #expect(try await code { $0[head] = try signed([other]) } == "generation-untrusted")
        #expect(try await code { $0[head] = try signed([other, Self.key]) } == "followed")
        #expect(try await code { $0[head] = $0[try StoreKey("b.example.com/head")] } == "generation-foreign")
        #expect(
            try await code {
                let text = String(decoding: $0[head] ?? [], as: UTF8.self)
                $0[head] = Array(text.replacing("\"generation\" : 2", with: "\"generation\" : 3").utf8)
            } == "generation-forged"
        )
        #expect(try await code { $0[head] = try signed([Self.key], generation: 1) } == "generation-forked")
        #expect(
            try await code { $0[head] = Array("{\"format\": 2}".utf8) } == "generation-newer"
        )
        // White space that says the same is still not what was published.
        #expect(try await code { $0[head] = ($0[head] ?? []) + [0x0A] } == "generation-head-unreadable")
        #expect(try await code { $0[try layout.manifest(2)] = nil } == "generation-manifest-missing")
        #expect(
            try await code { $0[try layout.manifest(2)] = $0[try layout.manifest(1)] } == "generation-manifest-mismatch"
        )
        let object = try layout.object("nodes/nodes.json", in: 2)
        #expect(try await code { $0[object] = [] } == "generation-object-altered")
        #expect(try await code { $0[object] = nil } == "generation-object-missing")
    }

    @Test func aReplayedHeadIsOlder() async throws {
        let store = MemoryStore()
        let writer = GenerationWriter(store: store, layout: Self.layout, signers: [Self.key], author: "a@b")
        let first = try await writer.publish(objects: ["o": [1]], previous: nil, message: "m", now: Self.now)
        let old = try #require(await store.read(try Self.layout.head()))
        try await writer.publish(objects: ["o": [2]], previous: first, message: "m", now: Self.now)
        let followed = try await Self.reader(store).current().followed
        try await store.write(old.bytes, to: try Self.layout.head(), when: .always)
        let error = await #expect(throws: GenerationError.self) {
            _ = try await Self.reader(store).current(after: followed)
        }
        #expect(error?.code == "generation-older")
    }

    @Test func anExpiredKeyIsBelievedNoMore() async throws {
        let store = MemoryStore()
        let short = SigningKey(notAfter: Self.now)
        try await GenerationWriter(store: store, layout: Self.layout, signers: [short], author: "a@b")
            .publish(objects: ["o": [1]], previous: nil, message: "m", now: Self.now)
        func code(at time: Date, _ keys: [TrustedKey]) async -> String? {
            let reader = GenerationReader(store: store, layout: Self.layout, trust: HeadTrust(keys, now: { time }))
            do {
                _ = try await reader.current()
                return nil
            } catch {
                return (error as? GenerationError)?.code
            }
        }
        #expect(await code(at: Self.now.addingTimeInterval(-1), [short.trusted]) == nil)
        #expect(await code(at: Self.now, [short.trusted]) == "generation-key-expired")
        var unreadable = short.trusted
        unreadable.notAfter = "never"
        #expect(await code(at: Self.now, [unreadable]) == "generation-key-expired")
    }
}
