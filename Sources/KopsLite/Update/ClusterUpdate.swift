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
    let store: any StateStore
    /// The completed cluster.
    let cluster: Cluster
    /// The completed instance groups.
    let groups: [InstanceGroup]
    let cloud: any Cloud
    let http: any HTTPClient
    let now: Date

    /// What would change; nothing is written.
    func plan() async throws -> UpdatePlan {
        let desired = try await desired(authorities: try await knownAuthorities())
        var entries = try await provision.missing().map { UpdatePlan.Entry(action: .create, name: $0) }
        if let entry = try await generationEntry(desired.renderer) { entries.append(entry) }
        entries += try await cloud.plan(desired.cloud).map(UpdatePlan.Entry.init)
        return UpdatePlan(entries: entries)
    }

    /// Changes it, telling each step as it is done; a step that is done already is not told.
    func apply(progress: @escaping @Sendable (String) -> Void) async throws {
        // What may be refused is refused before anything is written.
        _ = try await desired(authorities: [:])
        for name in try await provision.missing() { progress("create \(name)") }
        try await provision.create()
        let desired = try await desired(authorities: try await provision.authorities())
        if let generation = try await publish(desired.renderer) { progress("publish generation \(generation)") }
        try await cloud.apply(desired.cloud) { progress($0.description) }
    }

    private var layout: ClusterLayout { ClusterLayout(clusterName: cluster.metadata.name) }
    private var provision: Provision { Provision(store: store, layout: layout, now: now) }

    /// What a dry run may show where the authorities are still to be made.
    private func knownAuthorities() async throws -> [String: String] {
        try await provision.missing().isEmpty ? try await provision.authorities() : [:]
    }

    private func desired(
        authorities: [String: String]
    ) async throws -> (renderer: GenerationRenderer, cloud: DesiredCloud) {
        let resolver = AssetResolver(base: try repository(), http: http)
        let release = try KubernetesRelease(cluster.spec.kubernetesVersion.description)
        let catalogue = AssetCatalogue(
            release: release,
            etcdVersion: cluster.spec.etcdClusters.first { $0.name == "main" }?.version ?? AssetCatalogue.etcdVersion)
        var assets: [InstanceRole: [String: Asset]] = [:]
        for role in Set(groups.map(\.spec.role.role)) {
            assets[role] = try await resolver.resolve(catalogue.requests(for: role))
                .merging(try await resolver.lockedImages(catalogue.optionalImages(for: role))) { required, _ in required }
                .merging(try await resolver.images(carrying: preloaded(on: role))) { required, _ in required }
        }
        let renderer = GenerationRenderer(cluster: cluster, groups: groups, authorities: authorities, assets: assets)
        let nodeup = try await resolver.resolve([catalogue.agent("nodeup")])
        return (renderer, try cloudObjects(nodeup: nodeup["nodeup"]))
    }

    private func cloudObjects(nodeup: Asset?) throws -> DesiredCloud {
        guard let nodeup, let network = cluster.spec.networkCIDR else {
            throw Failure(.permanent, code: "spec-incomplete", "\(cluster.metadata.name) lacks its network's defaults")
        }
        let machines = DesiredMachines(cluster: cluster, groups: groups)
        return DesiredCloud(
            clusterName: cluster.metadata.name,
            networkCIDR: network.description,
            store: store.url,
            fileRepository: try repository(),
            machines: try machines.slots.map { slot in
                DesiredMachine(
                    name: slot.name, instanceGroup: slot.group.metadata.name, role: slot.group.spec.role.role,
                    zone: slot.zone,
                    userData: try UserData.template(
                        store: store.url, clusterName: cluster.metadata.name,
                        instanceGroup: slot.group.metadata.name, nodeup: nodeup))
            },
            volumes: machines.volumes
        )
    }

    private func repository() throws -> String {
        guard let repository = cluster.spec.assets?.fileRepository, !repository.isEmpty else {
            throw Failure(
                .permanent, code: "no-file-repository", "\(cluster.metadata.name) does not say where Kubernetes is downloaded from",
                hint: "set spec.assets.fileRepository: a URL with the layout of the official release site")
        }
        return repository.hasSuffix("/") ? String(repository.dropLast()) : repository
    }

    /// Workloads' images that machines hold from the start, since no registry may be in reach.
    private func preloaded(on role: InstanceRole) -> [String] {
        guard role == .node, let value = cluster.metadata.annotations[Self.preloadAnnotation] else { return [] }
        return value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// The cluster annotation that names images for every worker to hold, separated by commas.
    static let preloadAnnotation = "kopslite.io/preload-images"

    private func generationEntry(_ renderer: GenerationRenderer) async throws -> UpdatePlan.Entry? {
        guard let current = try await currentGeneration() else {
            let names = try renderer.objects(generation: 1).keys.sorted()
            return UpdatePlan.Entry(action: .create, name: "generation/1", details: names.map { "+ \($0)" })
        }
        let wanted = try renderer.objects(generation: current.number)
        var details: [String] = []
        for name in Set(wanted.keys).union(current.objectNames).sorted() {
            guard let new = wanted[name] else { details.append("- \(name)"); continue }
            guard current.objectNames.contains(name) else { details.append("+ \(name)"); continue }
            let old = try await current.object(named: name)
            guard old != new else { continue }
            details.append("~ \(name)")
            details += UpdatePlan.difference(from: String(decoding: old, as: UTF8.self), to: String(decoding: new, as: UTF8.self))
                .map { "    \($0)" }
        }
        guard !details.isEmpty else { return nil }
        return UpdatePlan.Entry(action: .modify, name: "generation/\(current.number) -> \(current.number + 1)", details: details)
    }

    /// Publishes a generation when nodes would follow other objects than they do; its number, or `nil` when not.
    private func publish(_ renderer: GenerationRenderer) async throws -> Int? {
        guard try await generationEntry(renderer) != nil else { return nil }
        let number = (try await currentGeneration()?.number ?? 0) + 1
        try await GenerationWriter(store: store, layout: layout)
            .publish(try renderer.objects(generation: number), as: number, now: now)
        return number
    }

    private func currentGeneration() async throws -> Generation? {
        do {
            return try await GenerationReader(store: store, layout: layout).current(notOlderThan: 0)
        } catch GenerationError.noHead {
            return nil
        }
    }
}
