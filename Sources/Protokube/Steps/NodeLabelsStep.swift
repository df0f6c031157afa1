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
        let node = Self.node(inputs.boot.instance, labels: wanted)
        do {
            guard let found = try await api.current(node) else {
                throw Failure(
                    .waiting, code: "node-not-registered", "node \(inputs.boot.instance) is not registered",
                    hint: "journalctl -u kubelet")
            }
            let labels = found["metadata"]?["labels"]
            if wanted.allSatisfy({ labels?[$0.key]?.string == $0.value }) { return }
            _ = try await api.apply(node, fieldManager: AddonApplier.fieldManager)
        } catch let error as AddonError {
            throw Failure(
                error.isTransient ? .transient : .permanent, code: "node-labels-refused",
                "node \(inputs.boot.instance) could not be labelled", cause: error)
        }
    }

    /// The role's labels, and those of the instance group that kubelet withholds.
    static func labels(for config: NodeConfig) throws -> [String: String] {
        let roles = try KubernetesRelease(config.kubernetesVersion).controlPlaneLabels.map { ($0, "") }
        return KubeletLabels(config.nodeLabels).withheld.merging(roles) { declared, _ in declared }
    }

    private static func node(_ name: String, labels: [String: String]) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Node",
            "metadata": ["name": .string(name), "labels": .object(labels.mapValues(JSONValue.string))],
        ]
    }
}
