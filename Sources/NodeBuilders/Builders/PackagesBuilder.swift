// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks

/// Programs that kubelet and protokube call.
///
/// - Source: kubelet uses conntrack, ethtool, iptables and mount; `kubectl port-forward` needs socat on dockershim;
///   protokube formats etcd's volume with e2fsprogs.
struct PackagesBuilder: NodeBuilder {
    private static let everywhere = ["conntrack", "ebtables", "ethtool", "iptables", "socat"]

    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        let needed = Self.everywhere + (context.isControlPlane ? ["e2fsprogs"] : [])
        let runtime = context.config.containerRuntime == .docker ? "docker.io" : "containerd"
        let names = Set(needed + context.config.packages).subtracting([runtime]).sorted()
        // kubelet starts without these, so they come after the runtime, in a transaction of their own; what protokube
        // waits for becomes ready with the runtime and goes into its transaction.
        return names.map { name in
            Declare.package(
                name,
                after: name == "e2fsprogs" ? [RuntimeBuilder.configuration(context)] : [.package(runtime)]
            )
        }
    }
}
