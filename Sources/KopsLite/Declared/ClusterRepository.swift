// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import StateStore

/// What people have declared, as a store holds it.
struct ClusterRepository: Sendable {
    let store: any StateStore
    /// The file or directory that operators keep keyrings in; `nil` for the store.
    var keyringFile: String?

    /// The names of all clusters, sorted.
    ///
    /// A cluster exists once its own object does.
    func names() async throws -> [String] {
        try await store.list(StoreKey(parts: [])).compactMap { key in
            key.parts.count == 3 && Array(key.parts[1...]) == ["spec", "cluster.json"] ? key.parts[0] : nil
        }.sorted()
    }

    /// A cluster; `nil` when there is none of the name.
    func cluster(_ name: String) async throws -> Cluster? {
        let key = try ClusterLayout(clusterName: name).cluster()
        guard let document = try await document(at: key) else { return nil }
        return try reading(key) { () throws(SpecError) in try Cluster(document: document) }
    }

    /// A cluster that must be there.
    func existing(_ name: String) async throws -> Cluster {
        if let cluster = try await cluster(name) { return cluster }
        let names = try await names()
        guard !names.isEmpty else { throw noClusters() }
        let near = Spelling.nearest(to: name, in: names)
        throw CommandFailure(
            "there is no cluster \(name) in \(store.url)",
            remedy: near.map { "did you mean \($0)?" } ?? "clusters there: \(names.joined(separator: ", "))"
        )
    }

    /// What to say of an empty store.
    func noClusters() -> CommandFailure {
        CommandFailure("no clusters found in \(store.url)", remedy: "create one with kopslite create cluster NAME")
    }

    /// A cluster's instance groups, sorted by name.
    func groups(of name: String) async throws -> [InstanceGroup] {
        var groups: [InstanceGroup] = []
        for (key, object) in try await store.read(store.list(ClusterLayout(clusterName: name).instanceGroups())) {
            let document = try document(in: object, at: key)
            groups.append(try reading(key) { () throws(SpecError) in try InstanceGroup(document: document) })
        }
        return groups.sorted { $0.metadata.name < $1.metadata.name }
    }

    /// A cluster with its groups, complete and valid.
    func resolved(_ name: String) async throws -> ResolvedCluster {
        let cluster = try await existing(name)
        return try ResolvedCluster(cluster, groups: try await groups(of: name), store: store.url)
    }

    /// Everything that was declared for a cluster, as the store has it, by its name in a generation: `spec/cluster.json`, ….
    func declared(_ name: String) async throws -> [String: StoredObject] {
        let layout = ClusterLayout(clusterName: name)
        var objects: [String: StoredObject] = [:]
        for (key, object) in try await store.read(store.list(layout.declared())) {
            objects[key.parts.dropFirst().joined(separator: "/")] = object
        }
        return objects
    }

    /// Where a cluster's keyring is.
    func keyringPlace(of name: String) -> KeyringPlace {
        KeyringPlace(file: keyringFile, store: store, layout: ClusterLayout(clusterName: name))
    }

    /// A cluster's secrets, opened with its keyring.
    func secrets(of name: String) async throws -> ClusterSecrets {
        ClusterSecrets(
            store: store,
            layout: ClusterLayout(clusterName: name),
            keyring: try await keyringPlace(of: name).existing()
        )
    }

    /// A cluster's generations, believed as its published keys say.
    func generations(of name: String) async throws -> GenerationReader {
        let layout = ClusterLayout(clusterName: name)
        let key = try layout.trust()
        var trust: [TrustedKey] = []
        if let object = try await store.read(key) {
            guard let found = try? JSONDecoder().decode([TrustedKey].self, from: Data(object.bytes)) else {
                throw StoreError.corrupt(key: key.description, reason: "it is no list of keys")
            }
            trust = found
        }
        return GenerationReader(store: store, layout: layout, trust: HeadTrust(trust))
    }

    private func document(at key: StoreKey) async throws -> JSONValue? {
        try await store.read(key).map { try document(in: $0, at: key) }
    }

    private func document(in object: StoredObject, at key: StoreKey) throws -> JSONValue {
        guard let document = try? JSONValue(parsing: object.bytes) else {
            throw StoreError.corrupt(key: key.description, reason: "it is no JSON")
        }
        return document
    }

    private func reading<Value>(_ key: StoreKey, _ read: () throws(SpecError) -> Value) throws -> Value {
        do {
            return try read()
        } catch {
            throw CommandFailure(lines: error.problems.map { "\(store.url)/\(key): \($0)" })
        }
    }
}
