// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks

/// Container images from archives; one without an asset comes from its registry when a pod asks for it.
struct ImagesBuilder: NodeBuilder {
    /// In the order in which a machine needs them: an API server first, then what makes the node ready.
    private static let controlPlane = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]
    private static let everywhere = ["pod-network", "kube-proxy", "kube-dns"]

    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        let assets = context.config.assets
        let named = ["pause"] + (context.isControlPlane ? Self.controlPlane : []) + Self.everywhere
        // Images that the operator wants there before any pod asks for them.
        let others = assets.filter { $0.value.image != nil }.keys.sorted()
            .filter { !named.contains($0) && !Self.controlPlane.contains($0) }
        return (named + others).compactMap { name in
            assets[name].map { Declare.image(name, $0, in: context) }
        }
    }

    /// The tasks a pod's manifest waits for: with a missing image kubelet would ask a registry, and when that fails
    /// wait for 10 s and more.
    static func imports(_ names: [String], in context: NodeContext) -> [TaskID] {
        names.filter { context.config.assets[$0] != nil }.map { .image($0) }
    }
}
