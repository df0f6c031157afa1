// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// The one mutable pointer of a cluster.
///
/// - Shape: JSON at `<cluster>/head`.
public struct GenerationHead: Codable, Sendable, Equatable {
    /// Counts from 1.
    public let generation: Int
    /// The SHA-256 of the manifest's bytes, 64 hex digits.
    public let manifest: String

    /// Makes a head from its parts.
    public init(generation: Int, manifest: String) {
        self.generation = generation
        self.manifest = manifest
    }
}

/// A head and the version it had in the store, which the next publisher must still find.
public struct PublishedHead: Sendable, Equatable {
    /// The pointer.
    public let head: GenerationHead
    /// Its version in the store.
    public let version: ObjectVersion
}

/// What a generation consists of.
///
/// - Shape: JSON at `<cluster>/generations/<n>/manifest.json`.
public struct GenerationManifest: Codable, Sendable, Equatable {
    /// Counts from 1.
    public let generation: Int
    /// When it was made, ISO 8601 in UTC.
    public let created: String
    /// The SHA-256 of each object by its name.
    public let objects: [String: String]

    /// Makes a manifest from its parts.
    public init(generation: Int, created: String, objects: [String: String]) {
        self.generation = generation
        self.created = created
        self.objects = objects
    }
}

/// A generation whose manifest was verified; its objects are verified as they are read.
public struct Generation: Sendable {
    /// What it consists of.
    public let manifest: GenerationManifest
    private let store: any StateStore
    private let layout: ClusterLayout

    init(manifest: GenerationManifest, store: any StateStore, layout: ClusterLayout) {
        self.manifest = manifest
        self.store = store
        self.layout = layout
    }

    /// Counts from 1.
    public var number: Int { manifest.generation }

    /// An object's bytes, verified against the manifest.
    ///
    /// - Throws: ``GenerationError`` when it is not listed, missing or altered; ``StoreError`` when it cannot be read.
    public func object(named name: String) async throws -> [UInt8] {
        guard let expected = manifest.objects[name] else {
            throw GenerationError.objectUnlisted(name: name, generation: number)
        }
        guard let object = try await store.read(layout.object(name, in: number)) else {
            throw GenerationError.objectMissing(name: name, generation: number)
        }
        let found = sha256(object.bytes)
        guard found == expected else {
            throw GenerationError.objectAltered(name: name, generation: number, expected: expected, found: found)
        }
        return object.bytes
    }
}

/// JSON as the store holds it: sorted names, so that equal values give equal bytes.
func encodeForStore(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try [UInt8](encoder.encode(value)) + [0x0A]
}
