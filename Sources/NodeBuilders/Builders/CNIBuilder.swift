// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks

/// The CNI plugins' programs; their configuration is the pod network's.
struct CNIBuilder: NodeBuilder {
    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        [
            Declare.directory(NodePaths.cniConfiguration, mode: 0o755),
            Declare.archive(try context.asset("cni-plugins"), into: NodePaths.cniBinaries, stripComponents: 0),
        ]
    }
}
