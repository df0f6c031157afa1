// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeTesting
import Synchronization
import Testing

@testable import StateStore

/// Operators who edit one declaration and publish from it, at once, with everything that can happen to them.
@Suite struct TwoWritersTests {
    /// How generations are published: rightly, or wrong on purpose.
    enum Publisher: Sendable, Equatable {
        case right
        case headBeforeManifest
        case headWithoutCondition
        case sameNumberAgain
        case objectsAfterHead
    }

    private static let layout = ClusterLayout(clusterName: "a.example.com")
    private static let key = SigningKey(notAfter: .distantFuture)
    private static let now = Date(timeIntervalSince1970: 1_700_000_000)

    struct Violation: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    /// What operators were told has happened.
    private final class Acknowledged: Sendable {
        let edits = Mutex<[String]>([])
        let heads = Mutex<[(previous: String?, head: GenerationHead)]>([])
    }

    // MARK: An operator

    private static func operate(
        _ name: String,
        _ store: any StateStore,
        _ publisher: Publisher,
        _ acknowledged: Acknowledged
    ) async throws {
        for round in 0..<2 {
            try await edit("\(name).\(round)", store, acknowledged)
            do {
                try await publish(names(name, round), store, publisher, acknowledged)
            } catch let error as GenerationError where error.code == "generation-raced" {
            } catch is StoreError {
            }
        }
    }

    /// What an operator publishes: at first the same objects as the others in part, then none of theirs, so that only the
    /// manifest tells two publishers of one number that there are two.
    private static func names(_ name: String, _ round: Int) -> [String] {
        ["nodes/\(name).json"] + (round == 0 ? ["spec/cluster.json"] : [])
    }

    private static func edit(_ token: String, _ store: any StateStore, _ acknowledged: Acknowledged) async throws {
        for _ in 0..<3 {
            do {
                let found = try await store.read(layout.cluster())
                let text = String(decoding: found?.bytes ?? [], as: UTF8.self) + token + "\n"
                let condition = found.map { WriteCondition.version($0.version) } ?? .absent
                try await store.write(Array(text.utf8), to: layout.cluster(), when: condition)
                return acknowledged.edits.withLock { $0.append(token) }
            } catch StoreError.conflict {
                continue
            } catch is StoreError {
                // Whether it happened is not known; to do it again could do it twice.
                return
            }
        }
    }

    private static func publish(
        _ names: [String],
        _ store: any StateStore,
        _ publisher: Publisher,
        _ acknowledged: Acknowledged
    ) async throws {
        let reader = reader(store)
        let previous = try await reader.head()
        let declared = try await store.read(layout.cluster())?.bytes ?? []
        let objects = Dictionary(uniqueKeysWithValues: names.map { ($0, declared + Array($0.utf8)) })
        let head: GenerationHead
        if publisher == .right {
            head = try await GenerationWriter(store: store, layout: layout, signers: [key], author: "a@b")
                .publish(objects: objects, previous: previous, message: "m", now: now).head
        } else {
            head = try await publishWrongly(objects, previous, store, publisher)
        }
        acknowledged.heads.withLock { $0.append((previous?.head.manifest, head)) }
    }

    /// The writer's steps with one rule broken.
    private static func publishWrongly(
        _ objects: [String: [UInt8]],
        _ previous: PublishedHead?,
        _ store: any StateStore,
        _ publisher: Publisher
    ) async throws -> GenerationHead {
        let reader = reader(store)
        let taken = publisher == .sameNumberAgain ? 0 : try await reader.numbers().max() ?? 0
        let number = max(previous?.head.generation ?? 0, taken) + 1
        // Who takes a number again must also write over what is there.
        let condition: WriteCondition = publisher == .sameNumberAgain ? .always : .absent
        func writeObjects() async throws {
            for (name, bytes) in objects.sorted(by: { $0.key < $1.key }) {
                try await store.write(bytes, to: layout.object(name, in: number), when: condition)
            }
        }
        if publisher != .objectsAfterHead { try await writeObjects() }
        let manifest = try encodeForStore(
            GenerationManifest(
                cluster: layout.clusterName,
                generation: number,
                parent: previous?.head.manifest,
                created: now.formatted(.iso8601),
                author: "a@b",
                message: "m",
                trust: [key.trusted],
                objects: objects.mapValues(sha256)
            )
        )
        let head = try GenerationHead(
            cluster: layout.clusterName,
            generation: number,
            manifest: sha256(manifest),
            signers: [key]
        )
        func writeManifest() async throws {
            try await store.write(manifest, to: layout.manifest(number), when: condition)
        }
        if publisher != .headBeforeManifest { try await writeManifest() }
        let swap = previous.map { WriteCondition.version($0.version) } ?? .absent
        do {
            try await store.write(
                head.encoded(),
                to: layout.head(),
                when: publisher == .headWithoutCondition ? .always : swap
            )
        } catch StoreError.conflict {
            throw GenerationError.raced(cluster: layout.clusterName, expected: "", found: "")
        }
        if publisher == .headBeforeManifest { try await writeManifest() }
        if publisher == .objectsAfterHead { try await writeObjects() }
        return head
    }

    private static func reader(_ store: any StateStore) -> GenerationReader {
        GenerationReader(store: store, layout: layout, trust: HeadTrust([key.trusted], now: { now }))
    }

    // MARK: A run

    /// One schedule; what happened in it.
    private static func run(
        _ seed: UInt64,
        _ publisher: Publisher = .right,
        _ negligence: SimulatedStore.Negligence = .none
    ) async throws -> SimulatedStore {
        var random = Seeded(seed)
        let store = SimulatedStore(faults: seed % 3 == 0 ? 0 : 15, negligence: negligence)
        let acknowledged = Acknowledged()
        let names = ["x", "y", "z"].prefix(seed % 4 == 0 ? 3 : 2)
        var last: Generation?
        do {
            try await store.run(
                &random,
                clients: names.map { name in { try await operate(name, $0, publisher, acknowledged) } },
                changed: { key in
                    guard try key == layout.head() else { return }
                    // Whatever is in force is whole, at every moment.
                    let generation = try await reader(store.snapshot()).current()
                    _ = try await generation.objects()
                    guard generation.number > last?.number ?? 0 else {
                        throw Violation("head went from \(last?.number ?? 0) to \(generation.number)")
                    }
                    // Then everything acknowledged is in the history of every later head, not only of the last.
                    guard generation.manifest.parent == last?.digest else {
                        throw Violation("generation \(generation.number) is made from what was not in force")
                    }
                    last = generation
                }
            )
            try await check(store, acknowledged)
        } catch {
            throw Violation("\(random): \(error)\n" + store.trace.joined(separator: "\n"))
        }
        return store
    }

    private static func check(_ simulated: SimulatedStore, _ acknowledged: Acknowledged) async throws {
        let store = try await simulated.snapshot()
        let text = String(decoding: try await store.read(layout.cluster())?.bytes ?? [], as: UTF8.self)
        let tokens = text.split(separator: "\n").map(String.init)
        guard Set(tokens).count == tokens.count else { throw Violation("an edit happened twice: \(tokens)") }
        let edits = acknowledged.edits.withLock { $0 }
        guard tokens.filter({ edits.contains($0) }) == edits else {
            throw Violation("acknowledged were \(edits), there is \(tokens)")
        }
        let reader = reader(store)
        let heads = acknowledged.heads.withLock { $0 }
        let history = try await reader.history().map(\.digest)
        for (_, head) in heads where !history.contains(head.manifest) {
            throw Violation("generation \(head.generation) was acknowledged and is in nobody's history")
        }
        let previous = heads.map { $0.previous ?? "" }
        guard Set(previous).count == previous.count else { throw Violation("two followed one head") }
        // Whoever comes next is in nobody's way.
        let head = try await reader.head()
        let writer = GenerationWriter(store: store, layout: layout, signers: [key], author: "a@b")
        try await writer.publish(objects: ["next": [1]], previous: head, message: "m", now: now)
    }

    // MARK: Tests

    private static let schedules =
        ProcessInfo.processInfo.environment["TEST_SCHEDULES"].flatMap { Int($0) } ?? 10_000
    private static let parts = 8

    @Test(arguments: 0..<parts) func noUpdateIsLostAndNoGenerationIsTorn(_ part: Int) async throws {
        let seeds = Seeded.seeds(Self.schedules)
        for seed in seeds where Int(seed) % Self.parts == part || seeds.count == 1 { _ = try await Self.run(seed) }
    }

    @Test(arguments: Seeded.seeds(20)) func aSeedIsARun(_ seed: UInt64) async throws {
        let (once, again) = (try await Self.run(seed), try await Self.run(seed))
        #expect(once.trace == again.trace)
        let objects = try await FrozenStore(once.snapshot()).objects
        #expect(try await FrozenStore(again.snapshot()).objects == objects)
    }

    /// What can happen does: a schedule without a fault or without a race would prove little.
    @Test func everythingHappens() async throws {
        var trace: [String] = []
        for seed in 1...UInt64(150) { trace += try await Self.run(seed).trace }
        for fate in [
            "answered: write", "answerLost: write", "refused: write", "repeatedLater: write", "diedBefore: write",
            "diedAfter: write", "again: write", "answerLost: read", "diedAfter: list", "refused: read",
        ] {
            #expect(trace.contains { $0.contains(fate) }, "\(fate)")
        }
        for object in ["head", "manifest.json", "spec/cluster.json"] {
            for fate in ["answerLost", "diedBefore", "diedAfter", "repeatedLater"] {
                #expect(trace.contains { $0.contains("\(fate): write") && $0.contains(object) }, "\(fate) \(object)")
            }
        }
    }

    /// A proof that finds nothing proves nothing: each rule, broken on purpose, is found.
    @Test(arguments: [
        (Publisher.headBeforeManifest, SimulatedStore.Negligence.none), (.objectsAfterHead, .none),
        (.headWithoutCondition, .none), (.sameNumberAgain, .none), (.right, .ignoresAbsent), (.right, .ignoresVersions),
    ])
    func whateverRuleIsBrokenIsFound(_ publisher: Publisher, _ negligence: SimulatedStore.Negligence) async throws {
        for seed in 1...UInt64(10_000) {
            do {
                _ = try await Self.run(seed, publisher, negligence)
            } catch is Violation {
                return
            }
        }
        Issue.record("10,000 schedules do not find it")
    }
}
