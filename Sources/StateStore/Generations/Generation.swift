// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// A generation whose manifest was verified; its objects are verified as they are read.
public struct Generation: Sendable {
    /// What it consists of.
    public let manifest: GenerationManifest
    /// The SHA-256 of the manifest's bytes.
    public let digest: String
    private let store: any StateStore
    private let layout: ClusterLayout

    init(manifest: GenerationManifest, digest: String, store: any StateStore, layout: ClusterLayout) {
        self.manifest = manifest
        self.digest = digest
        self.store = store
        self.layout = layout
    }

    /// Counts from 1.
    public var number: Int { manifest.generation }
    /// What whoever follows it keeps.
    public var followed: FollowedGeneration {
        FollowedGeneration(number: number, manifest: digest, trust: manifest.trust)
    }

    /// An object's bytes, verified against the manifest.
    ///
    /// - Throws: ``GenerationError`` when it is not listed, missing or altered; ``StoreError`` when it cannot be read.
    public func object(named name: String) async throws -> [UInt8] {
        guard manifest.objects[name] != nil else {
            throw GenerationError.objectUnlisted(name: name, generation: number)
        }
        guard let object = try await store.read(layout.object(name, in: number)) else {
            throw GenerationError.objectMissing(name: name, generation: number)
        }
        return try verified(object, name)
    }

    /// Every object by name, verified.
    public func objects() async throws -> [String: [UInt8]] {
        let keys = try manifest.objects.keys.map { (name: $0, key: try layout.object($0, in: number)) }
        let found = try await store.read(keys.map(\.key))
        return try Dictionary(
            uniqueKeysWithValues: keys.map { name, key in
                guard let object = found[key] else {
                    throw GenerationError.objectMissing(name: name, generation: number)
                }
                return (name, try verified(object, name))
            }
        )
    }

    private func verified(_ object: StoredObject, _ name: String) throws -> [UInt8] {
        let expected = manifest.objects[name] ?? ""
        let found = sha256(object.bytes)
        guard found == expected else {
            throw GenerationError.objectAltered(name: name, generation: number, expected: expected, found: found)
        }
        return object.bytes
    }
}
