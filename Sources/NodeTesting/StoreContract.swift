// SPDX-License-Identifier: Apache-2.0
public import StateStore

/// The laws that every store keeps, whatever is behind it.
public struct StoreContract: Sendable {
    /// A law.
    public enum Law: String, Sendable, CaseIterable {
        case whatIsWrittenIsReadWithItsVersion
        case aWriteWhoseConditionFailsChangesNothing
        case listsAreSortedDeepAndOnlyBelowThePrefix
        case removingTwiceIsNoError
        case ofManyWritersOfOneVersionExactlyOneWins
        case namesAreKeptWhateverTheyHold
    }

    /// Which law was broken, and how.
    public struct Violation: Error, CustomStringConvertible {
        /// All of it.
        public let description: String
    }

    private let store: any StateStore
    /// How many write at once, and how often.
    private let writers: Int
    private let rounds: Int

    /// Tries an empty store.
    public init(_ store: any StateStore, writers: Int = 16, rounds: Int = 5) {
        self.store = store
        self.writers = writers
        self.rounds = rounds
    }

    /// Tries one law.
    ///
    /// - Throws: ``Violation``, or what the store throws.
    public func check(_ law: Law) async throws {
        switch law {
        case .whatIsWrittenIsReadWithItsVersion: try await reading()
        case .aWriteWhoseConditionFailsChangesNothing: try await conditions()
        case .listsAreSortedDeepAndOnlyBelowThePrefix: try await listing()
        case .removingTwiceIsNoError: try await removing()
        case .ofManyWritersOfOneVersionExactlyOneWins: try await racing()
        case .namesAreKeptWhateverTheyHold: try await naming()
        }
    }

    private func expect(_ holds: Bool, _ what: String) throws {
        guard holds else { throw Violation(description: what) }
    }

    private func reading() async throws {
        let key = try StoreKey("a/b/c.json")
        for bytes in [[], [0], Array("text".utf8), [UInt8](repeating: 7, count: 300_000)] as [[UInt8]] {
            let version = try await store.write(bytes, to: key, when: .always)
            let found = try await store.read(key)
            try expect(
                found == StoredObject(bytes: bytes, version: version),
                "\(bytes.count) bytes were read otherwise"
            )
        }
        try expect(try await store.read(StoreKey("a/b/d")) == nil, "what was never written is read")
        try expect(try await store.read(StoreKey("x/y")) == nil, "what was never written is read")
    }

    private func conditions() async throws {
        let key = try StoreKey("a")
        let first = try await store.write([1], to: key, when: .absent)
        try await conflicts("a", "nothing", first.text) { try await store.write([2], to: key, when: .absent) }
        let second = try await store.write([2], to: key, when: .version(first))
        try await conflicts("a", first.text, second.text) { try await store.write([3], to: key, when: .version(first)) }
        try await conflicts("a", first.text, second.text) {
            try await store.remove(key, when: .version(first))
            return second
        }
        try await conflicts("b", first.text, "nothing") {
            try await store.write([3], to: StoreKey("b"), when: .version(first))
        }
        try expect(try await store.read(key)?.bytes == [2], "a refused write changed the object")
        try expect(try await store.list(StoreKey(parts: [])) == [key], "a refused write made an object")
    }

    private func conflicts(
        _ key: String,
        _ expected: String,
        _ found: String,
        _ body: () async throws -> ObjectVersion
    ) async throws {
        let wanted = StoreError.conflict(key: key, expected: expected, found: found)
        do {
            _ = try await body()
        } catch let error as StoreError where error == wanted {
            return
        } catch {
            throw Violation(description: "\(wanted) was said as \(error)")
        }
        throw Violation(description: "no conflict where there is one: \(wanted)")
    }

    private func listing() async throws {
        let keys = ["p/z", "p/a/b", "pp/x", "q", "p/m/n/o"]
        for key in keys.reversed() { try await store.write([1], to: StoreKey(key), when: .absent) }
        for (prefix, expected) in [
            ("p", ["p/a/b", "p/m/n/o", "p/z"]), ("q", []), ("nothing/here", []),
        ] {
            let found = try await store.list(StoreKey(prefix)).map(\.description)
            try expect(found == expected, "below \(prefix) there is \(found)")
        }
        let all = try await store.list(StoreKey(parts: [])).map(\.description)
        try expect(all == keys.sorted(), "in all there is \(all)")
    }

    private func removing() async throws {
        let key = try StoreKey("a/b")
        let version = try await store.write([1], to: key, when: .always)
        try await store.remove(key, when: .version(version))
        try await store.remove(key, when: .version(version))
        try await store.remove(StoreKey("x/y/z"), when: .always)
        try expect(try await store.read(key) == nil, "what was removed is there")
        try await store.write([2], to: key, when: .absent)
    }

    private func racing() async throws {
        let key = try StoreKey("race/object")
        var version = try await store.write([0], to: key, when: .absent)
        for _ in 0..<rounds {
            let winners = await winners(over: version, at: key)
            try expect(winners.count == 1, "\(winners.count) writers won over one version")
            version = winners[0]
            try expect(try await store.read(key)?.version == version, "the winner's version is not there")
        }
    }

    private func winners(over old: ObjectVersion, at key: StoreKey) async -> [ObjectVersion] {
        await withTaskGroup { group in
            for writer in 1...writers {
                group.addTask {
                    try? await store.write([UInt8(writer)] + Array(old.text.utf8), to: key, when: .version(old))
                }
            }
            return await group.reduce(into: []) { if let won = $1 { $0.append(won) } }
        }
    }

    private func naming() async throws {
        let names = ["a b", "a+b", "a=b:c", "100%", "é", "a&b?c#d", "a'b\"c", "~a", "a\\b", "{a}"]
        let keys = try names.map { try StoreKey(parts: ["odd", $0]) }
        for key in keys { try await store.write(Array(key.description.utf8), to: key, when: .absent) }
        for key in keys {
            try expect(try await store.read(key)?.bytes == Array(key.description.utf8), "\(key) is read otherwise")
        }
        let found = try await store.list(StoreKey("odd"))
        try expect(found == keys.sorted(), "listed are \(found)")
    }
}
