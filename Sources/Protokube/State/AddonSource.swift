// SPDX-License-Identifier: Apache-2.0
import AddonManager
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import StateStore
import SystemPackage

/// Where the add-ons of the generation in force come from: the state store, and what was last read of it.
struct AddonSource: Sendable {
    /// The add-ons of one generation.
    struct Set: Codable, Sendable, Equatable {
        var followed: FollowedGeneration
        var addons: [Entry]

        var generation: Int { followed.number }

        struct Entry: Codable, Sendable, Equatable {
            var name: String
            var objects: [JSONValue]
        }
    }

    /// What was last read, so that a boot without a store brings up the same cluster.
    static let cache: FilePath = "/var/lib/kopslite/addons/current.json"

    let nodeState: NodeState
    let clusterState: ClusterState

    /// The add-ons in force, and why the store was not asked where it could not be.
    ///
    /// A newer generation than nodeup has sealed is followed at once, since add-ons are the cluster's and not a
    /// machine's.
    ///
    /// - Throws: ``Failure`` when the store cannot be read and nothing was read of it before.
    func current() async throws -> (set: Set, storeFailure: Failure?) {
        let inputs = try await nodeState.inputs()
        let cached = await readCache()
        do {
            let generation = try await clusterState.generation(after: Self.newer(inputs.followed, cached?.followed))
            if let cached, cached.followed == generation.followed { return (cached, nil) }
            let set = try await read(generation, group: inputs.config.instanceGroup)
            try await writeCache(set)
            return (set, nil)
        } catch {
            let failure = Failure(error, during: "addons")
            guard let cached else { throw failure }
            return (cached, failure)
        }
    }

    private func read(_ generation: Generation, group: String) async throws -> Set {
        let config = try decode(
            NodeConfig.self,
            try await clusterState.object("nodes/\(group).json", of: generation),
            "nodes/\(group).json"
        )
        var entries: [Set.Entry] = []
        for name in config.controlPlane?.addons ?? [] {
            let key = "addons/\(name).json"
            let objects = try decode([JSONValue].self, try await clusterState.object(key, of: generation), key)
            entries.append(Set.Entry(name: name, objects: objects))
        }
        return Set(followed: generation.followed, addons: entries)
    }

    /// nodeup and this program follow on their own: whoever has come further decides.
    private static func newer(_ sealed: FollowedGeneration, _ cached: FollowedGeneration?) -> FollowedGeneration {
        guard let cached, cached.number > sealed.number else { return sealed }
        return cached
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8], _ key: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw Failure(
                .permanent,
                code: "addon-damaged",
                "\(key) of the generation in force cannot be understood",
                hint: "publish again with this release: `kopslite update cluster --yes`"
            )
        }
    }

    private func readCache() async -> Set? {
        guard let bytes = try? await nodeState.node.read(Self.cache) else { return nil }
        return try? JSONDecoder().decode(Set.self, from: Data(bytes))
    }

    private func writeCache(_ set: Set) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let node = nodeState.node
        try await node.makeDirectory(Self.cache.removingLastComponent(), attributes: FileAttributes(mode: 0o700))
        try await node.write(
            try [UInt8](encoder.encode(set)),
            to: Self.cache,
            attributes: FileAttributes(mode: 0o600, uid: 0, gid: 0)
        )
    }
}
