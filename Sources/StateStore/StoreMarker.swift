// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

/// What a store is known to do, found out at its first use and kept in it.
///
/// - Shape: JSON, `kopslite-store.json` at the store's root.
public struct StoreMarker: Codable, Sendable, Equatable {
    /// The format of everything in the store.
    public let format: Int
    /// Whether the store checks conditions when it removes.
    public let conditionalRemoves: Bool
    /// When that was found out, ISO 8601 in UTC.
    public let probed: String

    /// The format this release writes, and the newest it reads.
    public static let currentFormat = 1
    static let name = "kopslite-store.json"

    /// Makes sure that a store can be written to by two operators without either losing anything.
    ///
    /// A store that was probed before costs one read.
    ///
    /// - Throws: ``StoreError/refused(_:)``: `store-newer` when a newer release has written it, `store-unconditional` when its
    ///   conditional writes do not hold; then nothing but objects below `kopslite-probe/` was written, and those are gone.
    public static func ensure(in store: any StateStore, now: Date) async throws {
        let key = try StoreKey(name)
        if let object = try await store.read(key) { return try check(object, in: store) }
        let marker = StoreMarker(
            format: currentFormat,
            conditionalRemoves: try await ConditionalWriteProbe(store).run(),
            probed: now.formatted(.iso8601)
        )
        do {
            try await store.write(encodeForStore(marker), to: key, when: .absent)
        } catch StoreError.conflict {
            // Somebody else has just found out the same.
            if let object = try await store.read(key) { try check(object, in: store) }
        }
    }

    private static func check(_ object: StoredObject, in store: any StateStore) throws {
        struct Format: Decodable { let format: Int }
        guard let format = try? JSONDecoder().decode(Format.self, from: Data(object.bytes)).format else {
            throw StoreError.corrupt(key: name, reason: "it is no JSON with a format")
        }
        guard format <= currentFormat else {
            throw StoreError.refused(
                StoreRefusal(
                    code: "store-newer",
                    url: store.url,
                    reason: "it is in format \(format), this program knows formats up to \(currentFormat)",
                    hint: "use the kopslite of the release that wrote it, or a newer one"
                )
            )
        }
    }
}

/// Tries whether a store keeps its conditions, on an object that nobody else uses.
struct ConditionalWriteProbe {
    private let store: any StateStore
    private let key: StoreKey

    init(_ store: any StateStore) throws(StoreError) {
        self.store = store
        key = try StoreKey("kopslite-probe/\(UInt64.random(in: 0 ... .max))")
    }

    /// Whether removing is conditional too.
    ///
    /// - Throws: ``StoreError/refused(_:)`` `store-unconditional` when writing is not.
    func run() async throws -> Bool {
        let result: Result<Bool, any Error>
        do { result = .success(try await steps()) } catch { result = .failure(error) }
        try? await store.remove(key, when: .always)
        return try result.get()
    }

    private func steps() async throws -> Bool {
        let first = try await store.write([1], to: key, when: .absent)
        guard try await conflicts({ try await store.write([2], to: key, when: .absent) }) else {
            throw unconditional("a second creation of the same object was accepted")
        }
        let second = try await store.write([3], to: key, when: .version(first))
        guard try await conflicts({ try await store.write([4], to: key, when: .version(first)) }) else {
            throw unconditional("a change of a version that was no longer there was accepted")
        }
        guard try await store.read(key) == StoredObject(bytes: [3], version: second) else {
            throw unconditional("what was written last is not what is read")
        }
        return try await conflicts {
            try await store.remove(key, when: .version(first))
            return first
        }
    }

    private func conflicts(_ write: () async throws -> ObjectVersion) async throws -> Bool {
        do {
            _ = try await write()
            return false
        } catch StoreError.conflict {
            return true
        }
    }

    private func unconditional(_ reason: String) -> StoreError {
        .refused(
            StoreRefusal(
                code: "store-unconditional",
                url: store.url,
                reason: "two operators could overwrite each other: \(reason)",
                hint:
                    "use a store with conditional writes: S3, Google Cloud Storage, Ceph, MinIO of a recent release, a directory"
            )
        )
    }
}
