// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import StateStore
import Synchronization
import Testing

/// What the simulation does is what stores and networks do.
@Suite struct SimulatedStoreTests {
    private let key: StoreKey

    init() throws { key = try StoreKey("a") }

    /// What one client's writes leave, and how it ended: "done", "died", or by an error's code; over many seeds.
    private func outcomes(
        faults: Int = 60,
        _ client: @escaping @Sendable (any StateStore, StoreKey) async throws -> Void
    ) async throws -> [(left: [UInt8]?, end: String)] {
        var outcomes: [(left: [UInt8]?, end: String)] = []
        // Always all of them: that something may happen is a law of many seeds, not of one.
        for seed in 1...UInt64(300) {
            var random = Seeded(seed)
            let store = SimulatedStore(faults: faults)
            let end = Mutex("died")
            try await store.run(
                &random,
                clients: [
                    { [key] handle in
                        do {
                            try await client(handle, key)
                            end.withLock { $0 = "done" }
                        } catch let error as StoreError {
                            end.withLock { $0 = error.code }
                        }
                    }
                ],
                changed: { _ in }
            )
            outcomes.append((try await store.snapshot().read(key)?.bytes, end.withLock { $0 }))
        }
        return outcomes
    }

    @Test func anUnconditionalWriteThatComesTwiceUndoesALaterOne() async throws {
        let outcomes = try await outcomes { store, key in
            try await store.write([1], to: key, when: .always)
            try await store.write([2], to: key, when: .always)
            // Two writers of one key would be told nothing of it, which is why only a key's one writer writes so.
            for _ in 0..<4 { _ = try? await store.read(key) }
        }
        let done = outcomes.filter { $0.end == "done" }
        #expect(done.contains { $0.left == [1] } && done.contains { $0.left == [2] })
    }

    @Test func aConditionalWriteThatComesTwiceChangesNothing() async throws {
        let outcomes = try await outcomes { store, key in
            let first = try await store.write([1], to: key, when: .absent)
            try await store.write([2], to: key, when: .version(first))
            // Whoever is told of success has succeeded for good.
            for _ in 0..<4 { _ = try? await store.read(key) }
        }
        let done = outcomes.filter { $0.end == "done" }
        #expect(!done.isEmpty && done.allSatisfy { $0.left == [2] })
    }

    /// An answer that is lost looks like a refusal, and only the store knows which it was.
    @Test func anErrorDoesNotSayWhetherTheWriteHappened() async throws {
        let outcomes = try await outcomes { store, key in try await store.write([1], to: key, when: .absent) }
        let unknown = outcomes.filter { $0.end == "store-unreadable" }
        #expect(unknown.contains { $0.left == [1] } && unknown.contains { $0.left == nil })
        // Who died was told nothing either.
        let died = outcomes.filter { $0.end == "died" }
        #expect(died.contains { $0.left == [1] } && died.contains { $0.left == nil })
    }

    @Test func withoutFaultsEverythingIsAnswered() async throws {
        let outcomes = try await outcomes(faults: 0) { store, key in
            let version = try await store.write([1], to: key, when: .absent)
            guard try await store.list(StoreKey(parts: [])) == [key] else { return }
            try await store.remove(key, when: .version(version))
            guard try await store.read(key) == nil else { return }
            try await store.write([2], to: key, when: .absent)
        }
        #expect(outcomes.allSatisfy { $0.left == [2] && $0.end == "done" })
    }

    /// All orders of two clients' requests come up.
    @Test func everyOrderComesUp() async throws {
        var orders: Set<[String]> = []
        for seed in 1...UInt64(200) {
            var random = Seeded(seed)
            let store = SimulatedStore(faults: 0)
            let key = key
            try await store.run(
                &random,
                clients: (0..<2).map { _ in { for _ in 0..<3 { _ = try await $0.read(key) } } },
                changed: { _ in }
            )
            orders.insert(store.trace)
        }
        // Of six turns, three are the one's: 6 over 3.
        #expect(orders.count == 20)
    }
}
