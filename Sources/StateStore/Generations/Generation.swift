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

    /// Every object by name, verified.
    public func objects() async throws -> [String: [UInt8]] {
        try await withThrowingTaskGroup(of: (String, [UInt8]).self) { group in
            var waiting = manifest.objects.keys.sorted()[...]
            var objects: [String: [UInt8]] = [:]
            func start() {
                guard let name = waiting.popFirst() else { return }
                group.addTask { (name, try await object(named: name)) }
            }
            for _ in 0..<Self.width { start() }
            while let (name, bytes) = try await group.next() {
                objects[name] = bytes
                start()
            }
            return objects
        }
    }

    /// How many objects are read at once.
    private static let width = 16
}

/// JSON as the store holds it: sorted names, so that equal values give equal bytes.
func encodeForStore(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try [UInt8](encoder.encode(value)) + [0x0A]
}
