// SPDX-License-Identifier: Apache-2.0
import AddonManager
import EtcdManager
import Fetch
import FoundationEssentials
import KopsModel
import Logging
import NodeBuilders
import NodeOS
import ObjectStores
import StateStore
import SystemPackage

/// protokube on a real machine: the steps, what they work on, and who hears of them.
struct Run: Sendable {
    let node: any NodeWriter
    let boot: BootConfig
    let http: any HTTPClient
    let clock: any Clock<Duration>
    let log: Logger
    var tools: any FilesystemTools = FilesystemPrograms()
    var devices: any DeviceEvents = KernelDeviceEvents(directory: AnnouncementFile.path.removingLastComponent())
    /// How an address is had beside the machine's own.
    var link: @Sendable (String, String) throws -> any AddressLink = { try InterfaceAddress($0, besides: $1) }
    /// Opens the state store by its URL.
    var open: @Sendable (String) throws -> any StateStore = { try openStore($0) }

    /// Runs until the surrounding task is cancelled, or with `once` until everything is true or something failed.
    func run(once: Bool) async throws -> Pipeline.Ending {
        let clusterState = ClusterState(boot: boot, open: { [boot, open] in try open(boot.store) })
        let publisher = StatusPublisher(node: node, state: clusterState)
        let reporter = Reporter(
            boot: boot,
            serviceManager: Notifier(),
            log: log,
            now: { Date() },
            publish: { publisher.publish($0) }
        )
        let (keepers, found) = AsyncStream.makeStream(of: AddressKeeper.self)
        let steps = await addressSteps(found) + steps(clusterState, reporter, etcdClusters())
        let pipeline = Pipeline(steps: steps, clock: clock, report: reporter)
        // Both end with this function, which lets the address go.
        async let _ = Self.keep(keepers)
        let events = deviceEvents()
        async let _ = pipeline.doorbell.ring(at: events)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await publisher.run() }
            let outcome = await Self.outcome { try await once ? pipeline.runOnce() : pipeline.run() }
            await reporter.stopping()
            // With the last status written, unless a signal ended everything.
            publisher.finish()
            try await group.waitForAll()
            return try outcome.get()
        }
    }

    private static func outcome(_ body: () async throws -> Pipeline.Ending) async -> Result<Pipeline.Ending, any Error>
    {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }

    /// The pipeline, in the order in which each step needs the ones before it.
    private func steps(_ clusterState: ClusterState, _ reporter: Reporter, _ etcdClusters: [String]) -> [any Step] {
        let nodeState = NodeState(node: node)
        let api = LocalAPIServer(nodeState: nodeState, http: http)
        let discovery = DiscoveryStep(nodeState: nodeState, clusterState: clusterState, now: { Date() })
        let etcd = etcdSteps(clusterState, etcdClusters)
        return [discovery] + etcd.flatMap(\.member) + [
            APIServerStep(api: api),
            ManifestsStep(node: node),
            BootstrapTokenStep(nodeState: nodeState, api: api),
            NodeLabelsStep(nodeState: nodeState, api: api),
            AddonsStep(
                source: AddonSource(nodeState: nodeState, clusterState: clusterState),
                applier: AddonApplier(target: api, clock: clock, patience: .init(total: .seconds(20))),
                stopwatch: Stopwatch(clock),
                follows: { await reporter.follows(generation: $0) }
            ),
        ] + etcd.flatMap { [$0.growth, $0.backup] }
    }

    /// What happens to devices from now on; nothing where the machine cannot tell, for then volumes are looked for in turns.
    private func deviceEvents() -> AsyncStream<DeviceEvent> {
        do {
            return try devices.events()
        } catch {
            log.warning("volumes are looked for every few seconds, for no events of devices can be heard: \(error)")
            return AsyncStream { $0.finish() }
        }
    }

    private static func keep(_ keepers: AsyncStream<AddressKeeper>) async {
        for await keeper in keepers { await keeper.run() }
    }

    /// The step of the API servers' address, unless this machine is known to be the only one with an API server.
    private func addressSteps(_ found: AsyncStream<AddressKeeper>.Continuation) async -> [any Step] {
        let nodeState = NodeState(node: node)
        if let inputs = try? await nodeState.inputs(), inputs.config.network.apiAddress == nil { return [] }
        let timing = AddressElection.Timing()
        let api = LocalAPIServer(nodeState: nodeState, http: http, timeouts: KubeLeases.timeouts)
        return [
            AddressStep(
                nodeState: nodeState,
                keeper: { [clock, log, link] address, boot in
                    AddressKeeper(
                        address: address,
                        identity: boot.instance,
                        leases: KubeLeases(api: api, timing: timing, now: { Date() }),
                        link: try link(address, boot.address),
                        clock: clock,
                        log: log,
                        timing: timing
                    )
                },
                found: found
            )
        ]
    }

    /// The etcd clusters this machine is told of, `main` first.
    private func etcdClusters() async -> [String] {
        let inputs = try? await NodeState(node: node).inputs()
        return inputs?.config.controlPlane?.etcdClusters.map(\.name) ?? ["main"]
    }

    /// For each etcd cluster its volume and its member.
    private func etcdSteps(_ clusterState: ClusterState, _ names: [String]) -> [EtcdSteps] {
        let nodeState = NodeState(node: node)
        return names.map { name in
            let volume = VolumeStep(
                etcdCluster: name,
                nodeState: nodeState,
                clusterState: clusterState,
                finder: AnnouncementFile(node: node),
                tools: tools
            )
            let place = EtcdPlace(
                etcdCluster: name,
                nodeState: nodeState,
                clusterState: clusterState,
                volume: volume,
                http: http,
                clock: clock
            )
            let runner = EtcdMemberRunner(make: { try await place.agent() }, spec: { try await place.spec() })
            return EtcdSteps(
                member: [volume, EtcdStep(etcdCluster: name, member: runner)],
                growth: VolumeGrowthStep(volume: volume),
                backup: EtcdBackupStep(etcdCluster: name, member: runner, place: place)
            )
        }
    }
}

extension Notifier: Reporter.ServiceManager {}

/// The steps of one etcd cluster.
private struct EtcdSteps {
    /// Its volume and this machine's member: what everything after them needs.
    let member: [any Step]
    /// Its volume's size.
    let growth: any Step
    /// Its backups.
    let backup: any Step
}
