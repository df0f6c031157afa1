// SPDX-License-Identifier: Apache-2.0
import KopsModel
import Logging
import NodeBuilders
import NodeOS

/// What of nodeup's sealed inputs decides which steps protokube takes.
struct Blueprint: Sendable, Equatable, CustomStringConvertible {
    /// The etcd clusters this machine has members of, `main` first.
    var etcdClusters: [String]
    /// The address of all API servers; `nil` where this machine has the only one.
    var apiAddress: String?

    /// What a machine's configuration asks for.
    init(_ config: NodeConfig) {
        etcdClusters = config.controlPlane?.etcdClusters.map(\.name) ?? []
        apiAddress = config.network.apiAddress
    }

    var description: String {
        "etcd \(etcdClusters.joined(separator: " and "))" + (apiAddress.map { ", API servers at \($0)" } ?? "")
    }
}

/// Waits for nodeup's sealed inputs, which all other steps need, and ends the pipeline when they ask for other steps.
struct InputsStep: Step {
    let nodeState: NodeState
    /// What the steps were made for; `nil` where the inputs could not be read then.
    let blueprint: Blueprint?
    let log: Logger

    let name = "inputs"
    let activity = "waiting for nodeup to seal this machine's inputs"
    let patience: Duration = .seconds(300)
    let cadence: Duration = .seconds(10)

    func converge(_ observer: any StepObserver) async throws {
        let found = Blueprint(try await nodeState.inputs().config)
        guard found != blueprint else { return }
        let before = blueprint.map { ", and before for \($0)" } ?? ""
        log.notice("begins anew: nodeup's inputs are for \(found)\(before)")
        throw OutdatedSteps()
    }
}
