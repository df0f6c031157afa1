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
    /// The completed declaration.
    let cluster: ResolvedCluster
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

    private var layout: ClusterLayout { ClusterLayout(clusterName: cluster.name) }
    private var provision: Provision { Provision(store: store, layout: layout, now: now) }

    /// What a dry run may show where the authorities are still to be made.
    private func knownAuthorities() async throws -> [String: String] {
        try await provision.missing().isEmpty ? try await provision.authorities() : [:]
    }

    private func desired(
        authorities: [String: String]
    ) async throws -> (renderer: GenerationRenderer, cloud: DesiredCloud) {
        let resolver = AssetResolver(base: try repository(), http: http)
        let catalogue = AssetCatalogue(
            release: try KubernetesRelease(cluster.kubernetesVersion.description),
            etcdVersion: cluster.etcd.version ?? AssetCatalogue.etcdVersion
        )
        var assets: [InstanceRole: [String: Asset]] = [:]
        for role in Set(cluster.groups.map(\.spec.role.role)) {
            assets[role] = try await resolver.resolve(catalogue.requests(for: role))
                .merging(try await resolver.lockedImages(catalogue.optionalImages(for: role))) { required, _ in required
                }
                .merging(try await resolver.images(carrying: preloaded(on: role))) { required, _ in required }
        }
        let renderer = GenerationRenderer(cluster: cluster, authorities: authorities, assets: assets)
        let nodeup = try await resolver.resolve(catalogue.agent("nodeup"))
        return (renderer, try cloudObjects(nodeup: nodeup))
    }

    private func cloudObjects(nodeup: Asset) throws -> DesiredCloud {
        DesiredCloud(
            clusterName: cluster.name,
            networkCIDR: cluster.networkCIDR.description,
            store: store.url,
            fileRepository: try repository(),
            machines: try cluster.machines.map { machine in
                DesiredMachine(
                    name: machine.name,
                    instanceGroup: machine.group,
                    role: machine.role,
                    zone: machine.zone,
                    userData: try UserData.template(
                        store: store.url,
                        clusterName: cluster.name,
                        instanceGroup: machine.group,
                        nodeup: nodeup
                    )
                )
            },
            volumes: DesiredVolumes(cluster: cluster).all
        )
    }

    private func repository() throws -> String {
        guard let repository = cluster.cluster.spec.assets?.fileRepository, !repository.isEmpty else {
            throw Failure(
                .permanent,
                code: "no-file-repository",
                "\(cluster.name) does not say where Kubernetes is downloaded from",
                hint: "set spec.assets.fileRepository: a URL with the layout of the official release site"
            )
        }
        return repository.hasSuffix("/") ? String(repository.dropLast()) : repository
    }

    /// Workloads' images that machines hold from the start, since no registry may be in reach.
    private func preloaded(on role: InstanceRole) -> [String] {
        guard role == .node, let value = cluster.cluster.metadata.annotations[Self.preloadAnnotation] else { return [] }
        return value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    /// The cluster annotation that names images for every worker to hold, separated by commas.
    static let preloadAnnotation = "kopslite.io/preload-images"

    private func generationEntry(_ renderer: GenerationRenderer) async throws -> UpdatePlan.Entry? {
        guard let current = try await currentGeneration() else {
            let names = try renderer.objects(generation: 1).keys.sorted()
            return UpdatePlan.Entry(action: .create, name: "generation", details: names.map { "+ \($0)" })
        }
        let details = try await GenerationDifference(
            current: current,
            wanted: try renderer.objects(generation: current.number)
        ).lines()
        return details.isEmpty ? nil : UpdatePlan.Entry(action: .modify, name: "generation", details: details)
    }

    /// Publishes a generation when nodes would follow other objects than they do; its number, or `nil` when not.
    private func publish(_ renderer: GenerationRenderer) async throws -> Int? {
        let previous = try await reader.head()
        guard try await generationEntry(renderer) != nil else { return nil }
        return try await GenerationWriter(store: store, layout: layout)
            .publish(previous: previous, now: now) { try renderer.objects(generation: $0) }.head.generation
    }

    private var reader: GenerationReader { GenerationReader(store: store, layout: layout) }

    private func currentGeneration() async throws -> Generation? {
        try await reader.head() == nil ? nil : try await reader.current()
    }
}
