// SPDX-License-Identifier: Apache-2.0
import AddonManager
import KopsModel
import NodeBuilders
import NodeOS

/// Gives this machine's node the labels that its kubelet may not give itself, such as its role.
///
/// - Source: the admission plugin NodeRestriction, in Kubernetes' documentation.
struct NodeLabelsStep: Step {
    let nodeState: NodeState
    let api: any ControlPlaneAPI

    let name = "node-labels"
    let activity = "waiting for this machine's node to register"
    let patience: Duration = .seconds(300)
    let cadence: Duration = .seconds(60)
    let isEssential = false

    func converge(_ observer: any StepObserver) async throws {
        let inputs = try await nodeState.inputs()
        let wanted = try Self.labels(for: inputs.config)
        let node = inputs.boot.instance
        do {
            guard let labels = try await api.labels(ofNode: node) else {
                throw Failure(
                    .waiting,
                    code: "node-not-registered",
                    "node \(node) is not registered",
                    hint: "journalctl -u kubelet"
                )
            }
            let missing = wanted.filter { labels[$0.key] != $0.value }
            if !missing.isEmpty { try await api.label(node: node, missing) }
        } catch let error as AddonError {
            throw Failure(
                error.isTransient ? .transient : .permanent,
                code: "node-labels-refused",
                "node \(node) could not be labelled",
                cause: error
            )
        }
    }

    /// The role's labels, and those of the instance group that kubelet withholds.
    static func labels(for config: NodeConfig) throws -> [String: String] {
        let roles = try KubernetesRelease(config.kubernetesVersion).controlPlaneLabels.map { ($0, "") }
        return KubeletLabels(config.nodeLabels).withheld.merging(roles) { declared, _ in declared }
    }
}
