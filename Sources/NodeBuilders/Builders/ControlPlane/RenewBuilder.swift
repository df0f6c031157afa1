// SPDX-License-Identifier: Apache-2.0
import NodeTasks

/// The timer that lets a control-plane machine renew its certificates; a worker has kubelet's alone, who renews it.
struct RenewBuilder: NodeBuilder {
    static let service = "nodeup-renew.service"
    static let timer = "nodeup-renew.timer"

    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        guard context.isControlPlane else { return [] }
        return [
            // After the other timer for the same reason: a node that is becoming Ready has better things to do.
            Declare.triggeredService(
                Self.service,
                definition: String(decoding: PackageResources.nodeup_renew_service, as: UTF8.self),
                after: [.service(DriftBuilder.timer)]
            ),
            Declare.service(
                Self.timer,
                definition: String(decoding: PackageResources.nodeup_renew_timer, as: UTF8.self),
                after: [.service(Self.service)],
                restartOn: []
            ),
        ]
    }
}
