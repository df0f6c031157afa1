// SPDX-License-Identifier: Apache-2.0
import Fetch
import Foundation
import KopsModel
import NodeBuilders
import NodeOS

/// Every file that a cluster's machines download, found in its repository.
struct AssetInventory {
    let cluster: ResolvedCluster
    let http: any HTTPClient

    /// The cluster annotation that names images for every worker to hold, separated by commas.
    static let preloadAnnotation = "kopslite.io/preload-images"
    /// The program every machine starts with.
    static let agent = "nodeup"

    /// The lock file, sorted by name, each file once.
    ///
    /// - Throws: ``Failure`` `no-file-repository`, `asset-unknown`, `image-not-in-repository`, `lock-damaged`.
    func lock() async throws -> AssetLock {
        let source = try repository()
        let resolver = AssetResolver(base: source.base, mirrors: source.mirrors, http: http)
        let catalogue = AssetCatalogue(
            release: try KubernetesRelease(cluster.kubernetesVersion.description),
            etcdVersion: cluster.etcd.version ?? AssetCatalogue.etcdVersion
        )
        var entries: [String: AssetLock.Entry] = [:]
        for role in Set(cluster.groups.map(\.spec.role.role)) {
            // The first of a name counts: a file that is required goes over an image that may be there.
            let found =
                try await resolver.resolve(catalogue.requests(for: role))
                + resolver.lockedImages(catalogue.optionalImages(for: role))
                + resolver.images(carrying: preloaded(on: role))
            for entry in Dictionary(found.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }).values {
                entries[entry.name, default: entry].roles.append(role)
            }
        }
        for entry in try await resolver.resolve([catalogue.agent(Self.agent)]) { entries[entry.name] = entry }
        return AssetLock(
            assets: entries.values.map { entry in
                var entry = entry
                entry.roles.sort { $0.rawValue < $1.rawValue }
                return entry
            }.sorted { $0.name < $1.name }
        )
    }

    /// Where the files are, without trailing slashes.
    func repository() throws -> (base: String, mirrors: [String]) {
        guard let assets = cluster.cluster.spec.assets, let base = assets.fileRepository, !base.isEmpty else {
            throw Failure(
                .permanent,
                code: "no-file-repository",
                "\(cluster.name) does not say where Kubernetes is downloaded from",
                hint: "set spec.assets.fileRepository: a URL with the layout of the official release site"
            )
        }
        return (Self.bare(base), assets.mirrors.map(Self.bare))
    }

    private static func bare(_ url: String) -> String { url.hasSuffix("/") ? String(url.dropLast()) : url }

    /// Workloads' images that machines hold from the start, since no registry may be in reach.
    private func preloaded(on role: InstanceRole) -> [String] {
        guard role == .node, let value = cluster.cluster.metadata.annotations[Self.preloadAnnotation] else { return [] }
        return value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    }
}

extension AssetLock {
    /// What the machines of a role download, by name.
    func assets(of role: InstanceRole) -> [String: Asset] {
        let mine = assets.filter { $0.roles.contains(role) }
        return Dictionary(uniqueKeysWithValues: mine.map { ($0.name, $0.asset) })
    }
}

extension AssetLock.Entry {
    /// The file as a machine is told of it.
    var asset: Asset { Asset(sha256: sha256, size: size, sources: sources, image: image) }
}
