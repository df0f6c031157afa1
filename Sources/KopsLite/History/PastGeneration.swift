// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import StateStore

/// A generation as something to come back to: what was declared then, and the files that machines had then.
///
/// Keys are those of today: a certificate that is trusted no more must not come back with an old declaration.
struct PastGeneration: Sendable {
    let number: Int
    /// What was declared, by name: `spec/cluster.json`, ….
    let declared: [String: [UInt8]]
    /// The files.
    let lock: AssetLock

    /// Reads and verifies a generation.
    ///
    /// - Throws: ``CommandFailure`` when it holds no declaration; ``GenerationError``, ``StoreError``.
    init(_ generation: Generation) async throws {
        number = generation.number
        var declared: [String: [UInt8]] = [:]
        for name in generation.manifest.objects.keys where name.hasPrefix("spec/") {
            declared[name] = try await generation.object(named: name)
        }
        guard !declared.isEmpty, generation.manifest.objects[AssetLock.objectName] != nil else {
            throw CommandFailure(
                "generation \(generation.number) does not hold what was declared",
                remedy: "choose a later one of kopslite log"
            )
        }
        self.declared = declared
        let bytes = try await generation.object(named: AssetLock.objectName)
        lock = try JSONDecoder().decode(AssetLock.self, from: Data(bytes))
    }

    /// What the new generation's manifest says.
    var message: String { "revert to generation \(number)" }

    /// The cluster as it was declared.
    func resolved(_ cluster: String, store url: String) async throws -> ResolvedCluster {
        let store = MemoryStore(url: url)
        for (name, bytes) in declared {
            try await store.write(bytes, to: StoreKey("\(cluster)/\(name)"), when: .absent)
        }
        return try await ClusterRepository(store: store).resolved(cluster)
    }

    /// Puts the declaration in the place of today's, each object only where nobody changed it meanwhile.
    func declare(_ cluster: String, in repository: ClusterRepository) async throws {
        let today = try await repository.declared(cluster)
        for (name, bytes) in declared.sorted(by: { $0.key < $1.key }) where today[name]?.bytes != bytes {
            try await repository.store.write(
                bytes,
                to: StoreKey("\(cluster)/\(name)"),
                when: today[name].map { .version($0.version) } ?? .absent
            )
        }
        for (name, object) in today where declared[name] == nil {
            try await repository.store.remove(StoreKey("\(cluster)/\(name)"), when: .version(object.version))
        }
    }
}
