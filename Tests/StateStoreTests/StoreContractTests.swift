// SPDX-License-Identifier: Apache-2.0
import StateStore
import SystemPackage
import Testing

/// Every store obeys the same laws.
@Suite struct StoreContractTests {
    enum Backend: String, CaseIterable, CustomTestStringConvertible {
        case memory
        case file

        var testDescription: String { rawValue }

        func run(_ body: (any StateStore) async throws -> Void) async throws {
            switch self {
            case .memory: try await body(MemoryStore())
            case .file: try await withTemporaryDirectory { try await body(FileStore(url: "file://\($0)")) }
            }
        }
    }

    @Test(arguments: Backend.allCases) func whatIsWrittenIsReadWithItsVersion(_ backend: Backend) async throws {
        try await backend.run { store in
            let key = try StoreKey("a/b/c.json")
            for bytes in [[], [0], Array("text".utf8), [UInt8](repeating: 7, count: 300_000)] as [[UInt8]] {
                let version = try await store.write(bytes, to: key, when: .always)
                #expect(try await store.read(key) == StoredObject(bytes: bytes, version: version))
            }
            #expect(try await store.read(StoreKey("a/b/d")) == nil)
            #expect(try await store.read(StoreKey("x/y")) == nil)
        }
    }

    @Test(arguments: Backend.allCases) func aWriteWhoseConditionFailsChangesNothing(_ backend: Backend) async throws {
        try await backend.run { store in
            let key = try StoreKey("a")
            let first = try await store.write([1], to: key, when: .absent)
            await #expect(throws: StoreError.conflict(key: "a", expected: "nothing", found: first.text)) {
                try await store.write([2], to: key, when: .absent)
            }
            let second = try await store.write([2], to: key, when: .version(first))
            await #expect(throws: StoreError.conflict(key: "a", expected: first.text, found: second.text)) {
                try await store.write([3], to: key, when: .version(first))
            }
            await #expect(throws: StoreError.conflict(key: "a", expected: first.text, found: second.text)) {
                try await store.remove(key, when: .version(first))
            }
            await #expect(throws: StoreError.conflict(key: "b", expected: first.text, found: "nothing")) {
                try await store.write([3], to: StoreKey("b"), when: .version(first))
            }
            #expect(try await store.read(key)?.bytes == [2])
            #expect(try await store.list(StoreKey(parts: [])) == [key])
        }
    }

    @Test(arguments: Backend.allCases) func listsAreSortedDeepAndOnlyBelowThePrefix(_ backend: Backend) async throws {
        try await backend.run { store in
            let keys = ["p/z", "p/a/b", "p/a", "pp/x", "q", "p/m/n/o"].filter { $0 != "p/a" }
            for key in keys.shuffled() { try await store.write([1], to: StoreKey(key), when: .absent) }
            #expect(try await store.list(StoreKey("p")).map(\.description) == ["p/a/b", "p/m/n/o", "p/z"])
            #expect(try await store.list(StoreKey(parts: [])).map(\.description) == keys.sorted())
            #expect(try await store.list(StoreKey("q")) == [])
            #expect(try await store.list(StoreKey("nothing/here")) == [])
        }
    }

    @Test(arguments: Backend.allCases) func removingTwiceIsNoError(_ backend: Backend) async throws {
        try await backend.run { store in
            let key = try StoreKey("a/b")
            let version = try await store.write([1], to: key, when: .always)
            try await store.remove(key, when: .version(version))
            try await store.remove(key, when: .version(version))
            try await store.remove(StoreKey("x/y/z"), when: .always)
            #expect(try await store.read(key) == nil)
            try await store.write([2], to: key, when: .absent)
        }
    }

    @Test(arguments: Backend.allCases) func ofManyWritersOfOneVersionExactlyOneWins(_ backend: Backend) async throws {
        try await backend.run { store in
            let key = try StoreKey("race/object")
            var version = try await store.write([0], to: key, when: .absent)
            for _ in 0..<5 {
                let old = version
                let results = await withTaskGroup { group in
                    for writer in 1...16 {
                        group.addTask {
                            try? await store.write([UInt8(writer)] + Array(old.text.utf8), to: key, when: .version(old))
                        }
                    }
                    return await group.reduce(into: [ObjectVersion]()) { if let won = $1 { $0.append(won) } }
                }
                #expect(results.count == 1)
                version = try #require(results.first)
                #expect(try await store.read(key)?.version == version)
            }
        }
    }

    @Test(arguments: ["", "/a", "a/", "a//b", ".", "a/../b", "..", "a/./b", "a\0b"])
    func keysThatCouldLeaveTheStoreAreRefused(_ text: String) {
        #expect(throws: StoreError.self) { try StoreKey(text) }
    }
}
