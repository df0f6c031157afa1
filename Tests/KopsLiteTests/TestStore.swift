// SPDX-License-Identifier: Apache-2.0
import StateStore

/// A store in memory that can be told to fail, and counts what is written.
actor TestStore: StateStore {
    nonisolated let url = "memory://store"
    private var objects: [StoreKey: StoredObject]
    private static let marker = "kopslite-store.json"
    private var writes = 0
    private var writesLeft = Int.max

    /// A store that was used before.
    init() {
        let marker = StoredObject(bytes: Array("{\"format\": 1}".utf8), version: ObjectVersion("v0"))
        objects = Dictionary(uniqueKeysWithValues: (try? StoreKey(Self.marker)).map { ($0, marker) }.map { [$0] } ?? [])
    }

    /// Every write after so many more fails.
    func failAfter(writes: Int) { writesLeft = writes }

    var count: Int { writes }
    /// All but the store's own.
    var keys: [String] { objects.keys.sorted().map(\.description).filter { $0 != Self.marker } }

    func read(_ key: StoreKey) -> StoredObject? { objects[key] }

    func list(_ prefix: StoreKey) -> [StoreKey] {
        objects.keys.filter { $0.parts.count > prefix.parts.count && $0.parts.starts(with: prefix.parts) }.sorted()
    }

    @discardableResult
    func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) throws -> ObjectVersion {
        guard writesLeft > 0 else { throw StoreError.unavailable(url: url, reason: "it is full") }
        let found = objects[key]?.version
        let expected: ObjectVersion? = if case .version(let version) = condition { version } else { nil }
        guard condition == .always || found == expected else {
            throw StoreError.conflict(
                key: key.description,
                expected: expected?.text ?? "nothing",
                found: found?.text ?? "nothing"
            )
        }
        writes += 1
        writesLeft -= 1
        let version = ObjectVersion("v\(writes)")
        objects[key] = StoredObject(bytes: bytes, version: version)
        return version
    }

    func remove(_ key: StoreKey, when condition: WriteCondition) { objects[key] = nil }
}
