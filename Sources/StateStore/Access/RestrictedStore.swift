// SPDX-License-Identifier: Apache-2.0

/// A store that allows what an access allows and nothing more, as a cloud's policy does.
public struct RestrictedStore: StateStore {
    private let store: any StateStore
    private let access: StoreAccess

    /// Narrows a store.
    public init(_ store: any StateStore, to access: StoreAccess) {
        self.store = store
        self.access = access
    }

    /// The narrowed store's URL.
    public var url: String { store.url }

    /// An object's bytes and version; `nil` when there is no such object.
    ///
    /// - Throws: ``StoreError/refused(_:)`` `store-denied` where the access does not reach.
    public func read(_ key: StoreKey) async throws -> StoredObject? {
        guard access.allows(.read, key) else { throw denied("read", key) }
        return try await store.read(key)
    }

    /// The keys below a prefix.
    ///
    /// - Throws: ``StoreError/refused(_:)`` `store-denied` where the access does not reach.
    public func list(_ prefix: StoreKey) async throws -> [StoreKey] {
        guard access.allowsList(prefix) else { throw denied("list", prefix) }
        return try await store.list(prefix)
    }

    /// Writes an object.
    ///
    /// - Throws: ``StoreError/refused(_:)`` `store-denied` where the access does not reach.
    @discardableResult
    public func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) async throws -> ObjectVersion
    {
        guard access.allows(.write, key) else { throw denied("write", key) }
        return try await store.write(bytes, to: key, when: condition)
    }

    /// Removes an object.
    ///
    /// - Throws: ``StoreError/refused(_:)`` `store-denied` where the access does not reach.
    public func remove(_ key: StoreKey, when condition: WriteCondition) async throws {
        guard access.allows(.remove, key) else { throw denied("remove", key) }
        try await store.remove(key, when: condition)
    }

    private func denied(_ verb: String, _ key: StoreKey) -> StoreError {
        .refused(
            StoreRefusal(
                code: "store-denied",
                url: url,
                reason: "\(verb) \(key): not allowed",
                hint: "a machine of this role has no business there"
            )
        )
    }
}
