// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import NodeTasks

/// The names a node must resolve before there is any DNS: the API server's and its own.
struct HostsBuilder: NodeBuilder {
    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        let host = context.network.apiHost
        // The only control-plane machine talks to its own API server: it waits for no other.
        let addresses =
            context.network.apiAddress.map { [$0] }
            ?? (context.isControlPlane ? [context.boot.address] : context.inputs.apiAddresses)
        guard !addresses.isEmpty else {
            throw Failure(
                .waiting,
                code: "api-address-missing",
                "cannot build \(context.boot.instance): no control-plane machine has said where its API server answers",
                hint: "start a control-plane machine; it writes its address to the store as it comes up"
            )
        }
        var names = Dictionary(addresses.map { ($0, [host]) }, uniquingKeysWith: { first, _ in first })
        names[context.boot.address, default: []].append(context.boot.instance)
        return [Declare.hosts(names)]
    }
}
