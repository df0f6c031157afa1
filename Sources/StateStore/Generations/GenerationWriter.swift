// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
import KopsModel

/// Publishes generations: objects, then the manifest, then the head by compare-and-swap.
///
/// Until the last write succeeds the old generation stays in force. Nothing of a generation is ever written twice: the
/// left-overs of a publisher that died stay where they are, and the next generation takes the next free number.
public struct GenerationWriter: Sendable {
    private let store: any StateStore
    private let layout: ClusterLayout
    private let signers: [SigningKey]
    private let author: String

    /// Makes a publisher of a cluster's generations.
    ///
    /// - Parameters:
    ///   - store: Where they are kept.
    ///   - layout: Where in it.
    ///   - signers: The keys in force; each signs every head.
    ///   - author: What the manifests say of their maker, as `user@host`.
    public init(store: any StateStore, layout: ClusterLayout, signers: [SigningKey], author: String) {
        self.store = store
        self.layout = layout
        self.signers = signers
        self.author = author
    }

    /// Publishes a generation.
    ///
    /// - Parameters:
    ///   - objects: The bytes by name, such as `nodes/control-plane-a.json`.
    ///   - previous: The head the objects were planned against; `nil` when there was none.
    ///   - message: Why, in one line.
    ///   - now: What the manifest says about its making.
    /// - Returns: The new head.
    /// - Throws: ``GenerationError/raced(cluster:expected:found:)`` when `previous` is not in force any more; ``StoreError``.
    @discardableResult
    public func publish(
        objects: [String: [UInt8]],
        previous: PublishedHead?,
        message: String,
        now: Date
    ) async throws -> PublishedHead {
        let number = try await nextNumber(after: previous)
        let objects = objects.sorted { $0.key < $1.key }
        do {
            // In one order for all: of two publishers with one number the first to fall behind stops, the other goes on.
            for (name, bytes) in objects {
                guard try StoreKey(name).description == name else { throw StoreError.badKey(name) }
                try await store.write(bytes, to: layout.object(name, in: number), when: .absent)
            }
            let manifest = try encodeForStore(
                GenerationManifest(
                    cluster: layout.clusterName,
                    generation: number,
                    parent: previous?.head.manifest,
                    created: now.formatted(.iso8601),
                    author: author,
                    message: message,
                    trust: signers.map(\.trusted),
                    objects: Dictionary(uniqueKeysWithValues: objects.map { ($0.key, sha256($0.value)) })
                )
            )
            try await store.write(manifest, to: layout.manifest(number), when: .absent)
            let head = try GenerationHead(
                cluster: layout.clusterName,
                generation: number,
                manifest: sha256(manifest),
                signers: signers
            )
            let version = try await store.write(
                head.encoded(),
                to: layout.head(),
                when: previous.map { .version($0.version) } ?? .absent
            )
            return PublishedHead(head: head, version: version)
        } catch StoreError.conflict {
            throw try await raced(previous)
        }
    }

    private var reader: GenerationReader {
        GenerationReader(store: store, layout: layout, trust: HeadTrust(signers.map(\.trusted)))
    }

    private func nextNumber(after previous: PublishedHead?) async throws -> Int {
        let last = max(previous?.head.generation ?? 0, try await reader.numbers().max() ?? 0)
        guard last < .max else {
            throw StoreError.corrupt(
                key: "\(try layout.generations())/\(last)",
                reason: "no generation can follow it; remove it, no publisher made it"
            )
        }
        return last + 1
    }

    private func raced(_ previous: PublishedHead?) async throws -> GenerationError {
        func name(_ head: PublishedHead?) -> String { head.map { "generation \($0.head.generation)" } ?? "none" }
        let found = try await reader.head()
        return .raced(
            cluster: layout.clusterName,
            expected: name(previous),
            found: found == previous ? "another one being published" : name(found)
        )
    }
}
