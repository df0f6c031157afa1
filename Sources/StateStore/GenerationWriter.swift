// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

/// Publishes generations: objects, then the manifest, then the head by compare-and-swap.
///
/// Until the last write succeeds the old generation stays in force. Nothing of a generation is ever written twice: the
/// left-overs of a publisher that died stay where they are, and the next generation takes the next free number.
public struct GenerationWriter: Sendable {
    private let store: any StateStore
    private let layout: ClusterLayout

    /// Makes a publisher of a cluster's generations.
    public init(store: any StateStore, layout: ClusterLayout) {
        self.store = store
        self.layout = layout
    }

    /// Publishes objects that do not depend on the generation's number.
    ///
    /// - Returns: The new head.
    /// - Throws: ``GenerationError/raced(cluster:expected:found:)`` when `previous` is not in force any more; ``StoreError``.
    @discardableResult
    public func publish(
        objects: [String: [UInt8]],
        previous: PublishedHead?,
        now: Date
    ) async throws -> PublishedHead {
        try await publish(previous: previous, now: now) { _ in objects }
    }

    /// Publishes objects that are made knowing the generation's number.
    ///
    /// - Parameters:
    ///   - previous: The head the objects were planned against; `nil` when there was none.
    ///   - now: What the manifest says about its making.
    ///   - make: The objects by name, such as `nodes/control-plane-a.json`, for a generation's number.
    /// - Returns: The new head.
    /// - Throws: ``GenerationError/raced(cluster:expected:found:)`` when `previous` is not in force any more; ``StoreError``.
    @discardableResult
    public func publish(
        previous: PublishedHead?,
        now: Date,
        making make: @Sendable (Int) throws -> [String: [UInt8]]
    ) async throws -> PublishedHead {
        let number = try await nextNumber(after: previous)
        let objects = try make(number).sorted { $0.key < $1.key }
        do {
            // In one order for all: of two publishers with one number the first to fall behind stops, the other goes on.
            for (name, bytes) in objects {
                guard try StoreKey(name).description == name else { throw StoreError.badKey(name) }
                try await store.write(bytes, to: layout.object(name, in: number), when: .absent)
            }
            let manifest = try encodeForStore(
                GenerationManifest(
                    generation: number,
                    created: now.formatted(.iso8601),
                    objects: Dictionary(uniqueKeysWithValues: objects.map { ($0.key, sha256($0.value)) })
                )
            )
            try await store.write(manifest, to: layout.manifest(number), when: .absent)
            let head = GenerationHead(generation: number, manifest: sha256(manifest))
            let version = try await store.write(
                encodeForStore(head),
                to: layout.head(),
                when: previous.map { .version($0.version) } ?? .absent
            )
            return PublishedHead(head: head, version: version)
        } catch StoreError.conflict {
            throw try await raced(previous)
        }
    }

    private func nextNumber(after previous: PublishedHead?) async throws -> Int {
        let prefix = try layout.generations()
        let taken = try await store.list(prefix).compactMap { key in
            key.parts.dropFirst(prefix.parts.count).first.flatMap(Int.init)
        }
        return max(previous?.head.generation ?? 0, taken.max() ?? 0) + 1
    }

    private func raced(_ previous: PublishedHead?) async throws -> GenerationError {
        func name(_ head: PublishedHead?) -> String { head.map { "generation \($0.head.generation)" } ?? "none" }
        let found = try await GenerationReader(store: store, layout: layout).head()
        return .raced(
            cluster: layout.clusterName,
            expected: name(previous),
            found: found == previous ? "another one being published" : name(found)
        )
    }
}
