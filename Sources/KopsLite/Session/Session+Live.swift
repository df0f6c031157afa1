// SPDX-License-Identifier: Apache-2.0
import Clouds
import Fetch
import Foundation
import KopsModel
import ObjectStores
import StateStore
import SystemPackage

extension Session {
    /// The session of the program itself.
    static func live() -> Session {
        let http = CurlClient()
        return Session(
            console: .standard,
            environment: ProcessInfo.processInfo.environment,
            clock: ContinuousClock(),
            now: { Date() },
            readFile: { path in try InputFile.read(path) },
            openStore: storeBackend,
            cloud: { name in
                guard name == "local" else {
                    throw CommandFailure("the cloud \(name) is not supported", remedy: "use local")
                }
                return LocalCloud(cache: FilePath(cacheDirectory).appending("machines"))
            },
            kubeAPI: { repository, cluster in
                try await ControlPlaneAccess(repository: repository, cluster: cluster, now: Date()).client(http)
            },
            adminCredentials: { repository, cluster, lifetime in
                try await ControlPlaneAccess(repository: repository, cluster: cluster, now: Date()).credentials(
                    lifetime: lifetime
                )
            },
            assets: { cluster in try await AssetInventory(cluster: cluster, http: http).lock() },
            mirror: { lock, target, progress in
                let cache = FilePath(cacheDirectory).appending("downloads")
                try await AssetMirror(cache: cache, http: http, target: target).copy(lock, progress: progress)
            },
            preflight: { repository, cluster in
                Preflight(
                    repository: repository,
                    cluster: cluster,
                    http: http,
                    now: { Date() },
                    storeOf: { machine in
                        let environment = ProcessInfo.processInfo.environment
                        if let file = try MachineCredentials(environment: environment).file(for: machine) {
                            let store = try machineStore(repository.store.url, file, environment)
                            return Preflight.RoleStore(store: store, isOwn: true)
                        }
                        let access = StoreAccess(
                            of: machine.role,
                            in: ClusterLayout(clusterName: cluster.name),
                            group: machine.group,
                            instance: machine.name
                        )
                        return Preflight.RoleStore(store: RestrictedStore(repository.store, to: access), isOwn: false)
                    }
                )
            },
            update: { request, session in
                let update = ClusterUpdate(
                    repository: request.repository,
                    cluster: request.cluster,
                    cloud: try session.cloud(request.cluster.cluster.spec.cloudProvider),
                    http: http,
                    machineCredentials: MachineCredentials(environment: session.environment),
                    author: Author.name(session.environment),
                    now: session.now(),
                    leavesMachines: request.leavesMachines,
                    past: request.past
                )
                try await UpdateReport(update: update, console: session.console).run(isConfirmed: request.isConfirmed)
            }
        )
    }
}

/// Where downloads and the local cloud's bases are kept.
private let cacheDirectory = ProcessInfo.processInfo.environment["KOPSLITE_CACHE"] ?? "/var/cache/kopslite"

/// The store as a machine opens it: with a file of credentials, and without the operator's.
private func machineStore(_ url: String, _ file: String, _ environment: [String: String]) throws -> any StateStore {
    var environment = environment.filter { !$0.key.hasPrefix("AWS_") || $0.key.hasPrefix("AWS_ENDPOINT_URL") }
    environment["KOPSLITE_CREDENTIALS"] = file
    return try openStore(url, context: StoreContext(http: StoreContext.live.http, environment: environment))
}

/// The module's function, which inside ``Session`` its member of the same name hides.
private let storeBackend: @Sendable (String) throws -> any StateStore = { url in try openStore(url) }
