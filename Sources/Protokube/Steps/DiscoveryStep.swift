// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS

/// Says in the state store where this machine's API server answers, or will: workers wait for this record.
///
/// It comes before all that waits and holds nothing up, so that workers come up beside the control plane, and a control plane that ran
/// before runs without its store.
struct DiscoveryStep: Step {
    let nodeState: NodeState
    let clusterState: ClusterState
    let now: @Sendable () -> Date

    let name = "discovery"
    let activity = "publishing the API server's address"
    let patience: Duration = .seconds(60)
    /// A record that is not renewed is that of a machine that is gone.
    let cadence: Duration = .seconds(60)
    let isEssential = false

    func converge(_ observer: any StepObserver) async throws {
        let inputs = try await nodeState.inputs()
        try await clusterState.write(
            EndpointRecord(address: inputs.boot.address, port: inputs.config.network.apiPort, updated: now())
        )
    }
}
