// SPDX-License-Identifier: Apache-2.0
import Clouds
import Fetch
import Foundation
import KopsModel
import NodeBuilders
import NodeOS
import StateStore

/// Makes the world what a cluster's specification says: keys, a generation for nodes to follow, machines.
///
/// The order is that of need: keys before the generation that carries their certificates, the generation before the
/// machines that read it.
struct ClusterUpdate {
    let repository: ClusterRepository
    /// The completed declaration.
    let cluster: ResolvedCluster
    let cloud: any Cloud
    let http: any HTTPClient
    let machineCredentials: MachineCredentials
    /// Who publishes, as `user@host`.
    let author: String
    let now: Date
    /// Whether machines are left to others, as on bare metal.
    var leavesMachines = false
    /// The generation that is brought back; `nil` to follow the declaration and the file repository of today.
    var past: PastGeneration?

    /// What would change; nothing is written.
    func plan() async throws -> UpdatePlan {
        try await refuseEtcdVersion()
        let missing = try await provision.missing()
        let desired = try await desired(keyring: try await provision.keyring())
        var entries = missing.map { UpdatePlan.Entry(action: .create, name: $0) }
        if let entry = try await generationEntry(desired.objects) { entries.append(entry) }
        if !leavesMachines { entries += try await cloud.plan(desired.cloud).map(UpdatePlan.Entry.init) }
        return UpdatePlan(entries: entries)
    }

    /// Changes it, telling each step as it is done; a step that is done already is not told.
    func apply(progress: @escaping @Sendable (String) -> Void) async throws {
        // What may be refused is refused before anything is written.
        try await StoreMarker.ensure(in: store, now: now)
        try await refuseEtcdVersion()
        _ = try await desired(keyring: nil)
        for name in try await provision.missing() { progress("create \(name)") }
        let keyring = try await provision.create()
        let desired = try await desired(keyring: keyring)
        if let generation = try await publish(desired.objects, keyring) { progress("publish generation \(generation)") }
        if leavesMachines { return }
        try await cloud.apply(desired.cloud) { progress($0.description) }
    }

    private var store: any StateStore { repository.store }
    private var layout: ClusterLayout { ClusterLayout(clusterName: cluster.name) }
    private var provision: Provision {
        Provision(store: store, layout: layout, place: repository.keyringPlace(of: cluster.name), now: now)
    }

    /// What nodes are to follow and what the cloud is to hold; without a keyring, as far as they are known without keys.
    private func desired(keyring: Keyring?) async throws -> (objects: [String: [UInt8]], cloud: DesiredCloud) {
        let inventory = AssetInventory(cluster: cluster, http: http)
        let lock = if let past { past.lock } else { try await inventory.lock() }
        let renderer = GenerationRenderer(
            cluster: cluster,
            declared: try await declared(),
            keys: try await publishedKeys(keyring),
            lock: lock
        )
        let machines = MachineRenderer(
            cluster: cluster,
            store: store.url,
            keyring: keyring,
            credentials: machineCredentials,
            nodeup: lock.assets.first { $0.name == AssetInventory.agent }
        )
        let cloud = DesiredCloud(
            clusterName: cluster.name,
            networkCIDR: cluster.networkCIDR.description,
            store: store.url,
            fileRepository: try inventory.repository().base,
            machines: try machines.all(),
            volumes: DesiredVolumes(cluster: cluster).all
        )
        return (try renderer.objects(), cloud)
    }

    /// What machines must know of the keys; nothing while some are still to be made.
    private func publishedKeys(_ keyring: Keyring?) async throws -> PublishedKeys {
        guard let keyring else { return PublishedKeys() }
        do {
            return try await ClusterSecrets(store: store, layout: layout, keyring: keyring).published()
        } catch let failure as Failure where failure.code == "keyset-missing" {
            return PublishedKeys()
        }
    }

    private func declared() async throws -> [String: [UInt8]] {
        if let past { return past.declared }
        return try await repository.declared(cluster.name).mapValues(\.bytes)
    }

    private func generationEntry(_ objects: [String: [UInt8]]) async throws -> UpdatePlan.Entry? {
        guard let current = try await currentGeneration() else {
            return UpdatePlan.Entry(
                action: .create,
                name: "generation",
                details: objects.keys.sorted().map { "+ \($0)" }
            )
        }
        var details = try await GenerationDifference(old: current, new: .rendered(objects)).lines()
        if let keyring = try await provision.keyring() {
            details += Self.trustLines(from: current.manifest.trust, to: keyring.trust)
        }
        return details.isEmpty ? nil : UpdatePlan.Entry(action: .modify, name: "generation", details: details)
    }

    /// A changed set of signing keys is a change that nodes must follow too.
    private static func trustLines(from old: [TrustedKey], to new: [TrustedKey]) -> [String] {
        old.filter { !new.contains($0) }.map { "- signing key \($0.id)" }
            + new.filter { !old.contains($0) }.map { "+ signing key \($0.id)" }
    }

    /// Publishes a generation when nodes would follow other objects than they do; its number, or `nil` when not.
    private func publish(_ objects: [String: [UInt8]], _ keyring: Keyring) async throws -> Int? {
        let previous = try await reader().head()
        guard try await generationEntry(objects) != nil else { return nil }
        return try await GenerationWriter(store: store, layout: layout, signers: keyring.signing, author: author)
            .publish(objects: objects, previous: previous, message: past?.message ?? "update cluster", now: now).head
            .generation
    }

    private func refuseEtcdVersion() async throws {
        guard let current = try await currentGeneration() else { return }
        try await EtcdVersionCheck(cluster: cluster).run(against: current)
    }

    private func reader() async throws -> GenerationReader { try await repository.generations(of: cluster.name) }

    private func currentGeneration() async throws -> Generation? {
        let reader = try await reader()
        return try await reader.head() == nil ? nil : try await reader.current()
    }
}
