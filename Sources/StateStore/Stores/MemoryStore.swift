// SPDX-License-Identifier: Apache-2.0

/// A store that lives as long as the process.
public actor MemoryStore: StateStore {
    /// The store's URL, for messages.
    public nonisolated let url: String
    private var objects: [StoreKey: [UInt8]] = [:]

    /// Makes an empty store.
    public init(url: String = "memory://") { self.url = url }

    /// An object's bytes and version; `nil` when there is no such object.
    public func read(_ key: StoreKey) -> StoredObject? {
        objects[key].map { StoredObject(bytes: $0, version: .digest(of: $0)) }
    }

    /// The keys below a prefix, sorted, at any depth.
    public func list(_ prefix: StoreKey) -> [StoreKey] {
        objects.keys.filter { $0.parts.count > prefix.parts.count && $0.parts.starts(with: prefix.parts) }.sorted()
    }

    /// Writes an object when the condition holds, atomically.
    @discardableResult
    public func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) throws -> ObjectVersion {
        guard !key.parts.isEmpty else { throw StoreError.badKey("") }
        try condition.check(key, found: read(key)?.version)
        objects[key] = bytes
        return .digest(of: bytes)
    }

    /// Removes an object when the condition holds; nothing there is no error.
    public func remove(_ key: StoreKey, when condition: WriteCondition) throws {
        guard let found = read(key) else { return }
        try condition.check(key, found: found.version)
        objects[key] = nil
    }
}
