// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import StateStore

/// Objects of one cluster that are to be written.
///
/// The cluster's own object is written last: until it is there, no command sees the cluster, so an interrupted write
/// leaves nothing that could be taken for a whole cluster, and running the same command again finishes it.
struct Declaration: Sendable {
    let clusterName: String
    let cluster: Cluster?
    let others: [APIObject]
    /// Which state of an object its author has seen, by reference; none where the author does not say.
    let seen: [String: String]

    init(clusterName: String, objects: [APIObject]) {
        self.clusterName = clusterName
        seen = Dictionary(
            objects.compactMap { object in object.metadata.resourceVersion.map { (object.reference, $0) } },
            uniquingKeysWith: { first, _ in first }
        )
        let objects = objects.map { object in
            var object = object
            object.metadata.resourceVersion = nil
            return object
        }
        self.cluster =
            objects.lazy.compactMap { object in
                if case .cluster(let cluster) = object { cluster } else { nil }
            }.first
        self.others = objects.filter { object in
            if case .cluster = object { false } else { true }
        }.sorted { $0.reference < $1.reference }
    }

    /// What happened to an object.
    struct Outcome: Equatable {
        let reference: String
        /// False when the very same object was there already.
        let isWritten: Bool
    }

    /// The instance groups among the objects.
    var groups: [InstanceGroup] {
        others.compactMap { object in
            if case .instanceGroup(let group) = object { group } else { nil }
        }
    }

    /// Writes objects that must not be there yet.
    ///
    /// An object that is there with the very same bytes counts as written, for an interrupted command left it.
    func create(in store: any StateStore, now: Date) async throws -> [Outcome] {
        try await StoreMarker.ensure(in: store, now: now)
        try await refuseExistingCluster(in: store)
        if cluster != nil { try await refuseRemains(in: store) }
        return try await writeAll(in: store) { object, key, bytes in
            guard let found = try await store.read(key) else {
                try await store.write(bytes, to: key, when: .absent)
                return true
            }
            guard found.bytes == bytes else {
                throw CommandFailure(
                    "\(object.reference) of \(clusterName) already exists",
                    remedy: "change it with kopslite replace -f"
                )
            }
            return false
        }
    }

    /// Writes objects over those that are there; with `isForced`, those that are not there, and those whose author has seen
    /// another state, too.
    ///
    /// - Throws: ``CommandFailure`` that shows both sides when somebody else has changed an object meanwhile.
    func replace(in repository: ClusterRepository, isForced: Bool) async throws -> [Outcome] {
        let store = repository.store
        var found: [StoreKey: StoredObject] = [:]
        for object in all {
            let key = try key(of: object)
            found[key] = try await store.read(key)
            guard found[key] != nil || isForced else {
                throw CommandFailure(
                    "\(object.reference) of \(clusterName) does not exist",
                    remedy: "create it with kopslite create -f, or pass --force"
                )
            }
            guard let there = found[key], let seen = seen[object.reference], !isForced,
                seen != ObjectVersion.shown(of: there.bytes)
            else { continue }
            throw try await Collision(of: object, seen: seen, theirs: there.bytes, at: key, in: repository).failure
        }
        return try await writeAll(in: store) { [found] object, key, bytes in
            guard found[key]?.bytes != bytes else { return false }
            do {
                try await store.write(bytes, to: key, when: found[key].map { .version($0.version) } ?? .absent)
            } catch StoreError.conflict {
                let theirs = try await store.read(key)
                throw Collision(of: object, base: found[key]?.bytes, theirs: theirs?.bytes).failure
            }
            return true
        }
    }

    private var all: [APIObject] { others + (cluster.map { [.cluster($0)] } ?? []) }

    private func key(of object: APIObject) throws -> StoreKey {
        let layout = ClusterLayout(clusterName: clusterName)
        return switch object {
        case .cluster: try layout.cluster()
        case .instanceGroup(let group): try layout.instanceGroup(group.metadata.name)
        case .sshCredential(let credential): try layout.sshCredential(credential.metadata.name)
        }
    }

    private func refuseExistingCluster(in store: any StateStore) async throws {
        guard cluster != nil, try await store.read(ClusterLayout(clusterName: clusterName).cluster()) != nil else {
            return
        }
        throw CommandFailure(
            "cluster \"\(clusterName)\" already exists",
            remedy: "use kopslite update cluster \(clusterName) to apply changes, or kopslite replace -f to change it"
        )
    }

    /// Refuses what an interrupted command left and this one would not write, for it would become part of the cluster.
    private func refuseRemains(in store: any StateStore) async throws {
        let known = try Set(all.map(key(of:)))
        let groups = try await store.list(ClusterLayout(clusterName: clusterName).instanceGroups())
        let remains = groups.filter { !known.contains($0) }
        guard !remains.isEmpty else { return }
        throw CommandFailure(
            "\(remains.map(\.description).joined(separator: ", ")) is left of an interrupted create",
            remedy: "remove it with kopslite delete cluster \(clusterName) --yes, then create again"
        )
    }

    private func writeAll(
        in store: any StateStore,
        write: (APIObject, StoreKey, [UInt8]) async throws -> Bool
    ) async throws -> [Outcome] {
        var outcomes: [Outcome] = []
        do {
            for object in all {
                let isWritten = try await write(object, try key(of: object), try object.document.encoded())
                outcomes.append(Outcome(reference: object.reference, isWritten: isWritten))
            }
        } catch {
            let done = outcomes.filter(\.isWritten).map(\.reference)
            guard !done.isEmpty else { throw error }
            throw CommandFailure(
                lines: CommandFailure.lines(of: error) + [
                    "only \(done.joined(separator: ", ")) of \(clusterName) was written; "
                        + "run the same command again to finish, what is there stays"
                ]
            )
        }
        return outcomes
    }
}
