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
    var runner: any CommandRunner = SubprocessRunner()
    var devices: any DeviceEvents = KernelDeviceEvents(directory: AnnouncementFile.path.removingLastComponent())
    /// How an address is had beside the machine's own.
    var link: @Sendable (String, String) throws -> any AddressLink = { try InterfaceAddress($0, besides: $1) }
    /// Opens the state store by its URL.
    var open: @Sendable (String) throws -> any StateStore = { try openStore($0) }

    /// Runs until the surrounding task is cancelled or nodeup's inputs ask for other steps, so that the service manager starts it
    /// anew; or with `once` until everything is true or something failed.
    func run(once: Bool) async throws -> Pipeline.Ending {
        let ending = try await begin(once: once)
        // Nobody else starts it anew.
        return once && ending == .outdated ? try await run(once: true) : ending
    }

    private func begin(once: Bool) async throws -> Pipeline.Ending {
        let clusterState = ClusterState(boot: boot, open: { [boot, open] in try open(boot.store) })
        let (keepers, found) = AsyncStream.makeStream(of: AddressKeeper.self)
        // It ends with this function, and lets the address go.
        async let _ = Self.keep(keepers)
        let reported = ReportedRun(node: node, clusterState: clusterState, clock: clock, log: log, devices: devices)
        return try await reported.run(once: once) { reporter in
            let nodeState = NodeState(node: node)
            // Why they cannot be read is the step's to tell, and without them there is nothing else to do.
            let blueprint = (try? await nodeState.inputs()).map { Blueprint($0.config) }
            let inputs = InputsStep(nodeState: nodeState, blueprint: blueprint, log: log)
            guard let blueprint else { return [inputs] }
            let etcd = etcdSteps(clusterState, reporter, blueprint.etcdClusters, reported.sideline)
            let address = blueprint.apiAddress == nil ? [] : [addressStep(found)]
            return [inputs] + address + steps(clusterState, reporter, etcd)
        }
    }

    /// The pipeline, in the order in which each step needs the ones before it.
    private func steps(_ clusterState: ClusterState, _ reporter: Reporter, _ etcd: [EtcdSteps]) -> [any Step] {
        let nodeState = NodeState(node: node)
        let api = LocalAPIServer(nodeState: nodeState, http: http)
        let discovery = DiscoveryStep(nodeState: nodeState, clusterState: clusterState, now: { Date() })
        return [discovery] + etcd.flatMap(\.member) + etcd.flatMap(\.upkeep) + [
            APIServerStep(api: api),
            ManifestsStep(node: node),
            BootstrapTokenStep(nodeState: nodeState, api: api),
            NodeLabelsStep(nodeState: nodeState, api: api),
            AddonsStep(
                source: AddonSource(nodeState: nodeState, clusterState: clusterState),
                applier: AddonApplier(target: api, clock: clock, patience: .init(total: .seconds(20))),
                stopwatch: Stopwatch(clock),
                follows: { await reporter.follows(generation: $0, despite: $1) }
            ),
        ]
    }

    private static func keep(_ keepers: AsyncStream<AddressKeeper>) async {
        for await keeper in keepers { await keeper.run() }
    }

    /// The step of the API servers' address.
    private func addressStep(_ found: AsyncStream<AddressKeeper>.Continuation) -> any Step {
        let nodeState = NodeState(node: node)
        let timing = AddressElection.Timing()
        let api = LocalAPIServer(nodeState: nodeState, http: http, timeouts: KubeLeases.timeouts)
        return AddressStep(
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
    }

    /// For each etcd cluster its volume and its member.
    private func etcdSteps(
        _ clusterState: ClusterState,
        _ reporter: Reporter,
        _ names: [String],
        _ sideline: Sideline
    ) -> [EtcdSteps] {
        let programs = EtcdPrograms(runner: runner)
        return names.map { name in
            EtcdSteps(
                EtcdPlace(
                    etcdCluster: name,
                    nodeState: NodeState(node: node),
                    clusterState: clusterState,
                    finder: AnnouncementFile(node: node),
                    tools: tools,
                    http: http,
                    now: Stopwatch(clock).elapsed,
                    sideline: sideline,
                    programs: programs
                ),
                log: "journalctl -u etcd-\(name)",
                sideline: sideline,
                summarises: { await reporter.summarises($0, $1) }
            )
        }
    }
}
