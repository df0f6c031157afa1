// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeBuilders

/// Has somebody keep the API servers' address, beside the pipeline, and says whether it is on some machine.
///
/// It comes before all that waits: whatever else this machine waits for, the address has to be let go when it is not its turn.
struct AddressStep: Step {
    let nodeState: NodeState
    /// Makes who keeps an address on the machine of a boot configuration.
    let keeper: @Sendable (String, BootConfig) throws -> AddressKeeper
    /// Where it is told that there is one to run.
    let found: AsyncStream<AddressKeeper>.Continuation
    private let kept = Handover<AddressKeeper>()

    let name = "api-address"
    let activity = "waiting for the API servers' address"
    let patience: Duration = .seconds(300)
    let cadence: Duration = .seconds(10)
    let isEssential = false

    init(
        nodeState: NodeState,
        keeper: @escaping @Sendable (String, BootConfig) throws -> AddressKeeper,
        found: AsyncStream<AddressKeeper>.Continuation
    ) {
        self.nodeState = nodeState
        self.keeper = keeper
        self.found = found
    }

    func converge(_ observer: any StepObserver) async throws {
        if let keeper = kept.value { return try keeper.check() }
        let inputs = try await nodeState.inputs()
        guard let address = inputs.config.network.apiAddress else { return }
        let keeper = try keeper(address, inputs.boot)
        kept.value = keeper
        found.yield(keeper)
        try keeper.check()
    }
}
