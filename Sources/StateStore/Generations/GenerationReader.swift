// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// Reads generations, and believes only what a trusted key has signed.
public struct GenerationReader: Sendable {
    private let store: any StateStore
    private let layout: ClusterLayout
    private let trust: HeadTrust

    /// Makes a reader of a cluster's generations.
    public init(store: any StateStore, layout: ClusterLayout, trust: HeadTrust) {
        self.store = store
        self.layout = layout
        self.trust = trust
    }

    /// The pointer and its version, its signatures verified; `nil` when nothing was published yet.
    ///
    /// - Throws: ``GenerationError``, ``StoreError``.
    public func head() async throws -> PublishedHead? {
        guard let object = try await store.read(layout.head()) else { return nil }
        let head = try decode(object.bytes)
        guard head.cluster == layout.clusterName else {
            throw GenerationError.foreign(cluster: layout.clusterName, found: head.cluster)
        }
        try trust.check(head)
        return PublishedHead(head: head, version: object.version)
    }

    /// The generation in force, its manifest verified against the head.
    ///
    /// - Parameter followed: The generation that is already followed; an older one, or another one of its number, is refused.
    /// - Returns: The generation, whose objects are verified as they are read.
    /// - Throws: ``GenerationError``, ``StoreError``.
    public func current(after followed: FollowedGeneration? = nil) async throws -> Generation {
        guard let head = try await head()?.head else {
            throw GenerationError.notPublished(cluster: layout.clusterName)
        }
        if let followed {
            guard head.generation >= followed.number else {
                throw GenerationError.older(
                    cluster: layout.clusterName,
                    found: head.generation,
                    required: followed.number
                )
            }
            guard head.generation > followed.number || head.manifest == followed.manifest else {
                throw GenerationError.forked(cluster: layout.clusterName, generation: head.generation)
            }
        }
        return try await generation(head.generation, manifest: head.manifest)
    }

    /// The generation in force and all before it, the newest first; each is named by its successor's manifest.
    ///
    /// - Parameter limit: How many at the most.
    /// - Returns: At least one generation when any was published.
    /// - Throws: ``GenerationError``, ``StoreError``.
    public func history(limit: Int = .max) async throws -> [Generation] {
        guard limit > 0, try await head() != nil else { return [] }
        var history = [try await current()]
        let numbers = try await numbers()
        while history.count < limit, let last = history.last, let parent = last.manifest.parent {
            guard let generation = try await ancestor(parent, below: last.number, among: numbers) else { break }
            history.append(generation)
        }
        return history
    }

    /// The numbers that are taken, whether they were ever in force or not.
    func numbers() async throws -> Set<Int> {
        let prefix = try layout.generations()
        return Set(
            try await store.list(prefix).compactMap { key in
                key.parts.dropFirst(prefix.parts.count).first.flatMap { Int($0) }
            }
        )
    }

    /// Left-overs of publishers that died lie between a generation and its parent, so the digest decides.
    private func ancestor(_ digest: String, below number: Int, among numbers: Set<Int>) async throws -> Generation? {
        for candidate in numbers.sorted(by: >) where candidate < number {
            guard let object = try await store.read(layout.manifest(candidate)), sha256(object.bytes) == digest else {
                continue
            }
            return try await generation(candidate, manifest: digest)
        }
        return nil
    }

    private func generation(_ number: Int, manifest digest: String) async throws -> Generation {
        guard let object = try await store.read(layout.manifest(number)) else {
            throw GenerationError.manifestMissing(cluster: layout.clusterName, generation: number)
        }
        let found = sha256(object.bytes)
        func mismatch(_ found: String) -> GenerationError {
            .manifestMismatch(
                cluster: layout.clusterName,
                generation: number,
                expected: "sha256 \(digest)",
                found: found
            )
        }
        guard found == digest else { throw mismatch("sha256 \(found)") }
        // The digest fits, so what follows can only go wrong when somebody published what is no manifest of this place.
        guard let manifest = try? JSONDecoder().decode(GenerationManifest.self, from: Data(object.bytes)) else {
            throw mismatch("something else than a manifest")
        }
        guard manifest.generation == number, manifest.cluster == layout.clusterName else {
            throw mismatch("the manifest of generation \(manifest.generation) of \(manifest.cluster)")
        }
        return Generation(manifest: manifest, digest: digest, store: store, layout: layout)
    }

    private func decode(_ bytes: [UInt8]) throws -> GenerationHead {
        struct Format: Decodable { let format: Int }
        let data = Data(bytes)
        if let format = try? JSONDecoder().decode(Format.self, from: data).format, format > GenerationHead.currentFormat
        {
            throw GenerationError.newer(cluster: layout.clusterName, format: format)
        }
        guard let head = try? JSONDecoder().decode(GenerationHead.self, from: data) else {
            throw unreadable("it is not the JSON of a head (\(bytes.count) bytes)")
        }
        guard head.format == GenerationHead.currentFormat, head.generation > 0, try head.encoded() == bytes else {
            throw unreadable("it is not in the form that kopslite writes")
        }
        return head
    }

    private func unreadable(_ reason: String) -> GenerationError {
        .headUnreadable(cluster: layout.clusterName, reason: reason)
    }
}
