// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// Reads the generation in force.
public struct GenerationReader: Sendable {
    private let store: any StateStore
    private let layout: ClusterLayout

    /// Makes a reader of a cluster's generations.
    public init(store: any StateStore, layout: ClusterLayout) {
        self.store = store
        self.layout = layout
    }

    /// The pointer and its version; `nil` when nothing was published yet.
    ///
    /// - Throws: ``GenerationError/headUnreadable(cluster:reason:)``, ``StoreError``.
    public func head() async throws -> PublishedHead? {
        guard let object = try await store.read(layout.head()) else { return nil }
        do {
            let head = try JSONDecoder().decode(GenerationHead.self, from: Data(object.bytes))
            guard head.generation > 0 else { throw unreadable("its generation is \(head.generation)") }
            return PublishedHead(head: head, version: object.version)
        } catch is DecodingError {
            throw unreadable("it is not the JSON of a head (\(object.bytes.count) bytes)")
        }
    }

    /// The generation in force, its manifest verified against the head.
    ///
    /// - Parameter required: The generation that is already followed; an older one is refused.
    /// - Returns: The generation, whose objects are verified as they are read.
    /// - Throws: ``GenerationError``, ``StoreError``.
    public func current(notOlderThan required: Int = 0) async throws -> Generation {
        guard let head = try await head()?.head else {
            throw GenerationError.notPublished(cluster: layout.clusterName)
        }
        guard head.generation >= required else {
            throw GenerationError.older(cluster: layout.clusterName, found: head.generation, required: required)
        }
        return Generation(manifest: try await manifest(of: head), store: store, layout: layout)
    }

    private func manifest(of head: GenerationHead) async throws -> GenerationManifest {
        guard let object = try await store.read(layout.manifest(head.generation)) else {
            throw GenerationError.manifestMissing(cluster: layout.clusterName, generation: head.generation)
        }
        let found = sha256(object.bytes)
        guard found == head.manifest else { throw mismatch(head, found: "sha256 \(found)") }
        // The digest fits, so what follows can only go wrong when somebody published what is no manifest.
        guard let manifest = try? JSONDecoder().decode(GenerationManifest.self, from: Data(object.bytes)) else {
            throw mismatch(head, found: "something else than a manifest")
        }
        guard manifest.generation == head.generation else {
            throw mismatch(head, found: "the manifest of generation \(manifest.generation)")
        }
        return manifest
    }

    private func mismatch(_ head: GenerationHead, found: String) -> GenerationError {
        .manifestMismatch(
            cluster: layout.clusterName,
            generation: head.generation,
            expected: "sha256 \(head.manifest)",
            found: found
        )
    }

    private func unreadable(_ reason: String) -> GenerationError {
        .headUnreadable(cluster: layout.clusterName, reason: reason)
    }
}
