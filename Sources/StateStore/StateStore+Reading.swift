// SPDX-License-Identifier: Apache-2.0

extension StateStore {
    /// Objects by key, many read at once; keys without an object are left out.
    ///
    /// - Throws: ``StoreError``; the first failure ends the others.
    public func read(_ keys: [StoreKey]) async throws -> [StoreKey: StoredObject] {
        try await withThrowingTaskGroup(of: (StoreKey, StoredObject?).self) { group in
            var waiting = keys[...]
            var objects: [StoreKey: StoredObject] = [:]
            func start() {
                guard let key = waiting.popFirst() else { return }
                group.addTask { (key, try await read(key)) }
            }
            for _ in 0..<16 { start() }
            while let (key, object) = try await group.next() {
                objects[key] = object
                start()
            }
            return objects
        }
    }
}
