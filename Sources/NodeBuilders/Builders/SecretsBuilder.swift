// SPDX-License-Identifier: Apache-2.0
import NodeTasks
import SystemPackage

/// The operators' secrets as files that only root reads.
struct SecretsBuilder: NodeBuilder {
    /// The secret that is kubelet's and the runtime's login to registries, where they look for it.
    private static let registryLogin = "dockerconfig"

    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        let secrets = context.inputs.secrets.sorted { $0.key < $1.key }
        guard !secrets.isEmpty else { return [] }
        var tasks = [Declare.directory(NodePaths.secrets, mode: 0o700)]
        for (name, bytes) in secrets {
            tasks.append(Declare.secretFile(NodePaths.secrets.appending(name), bytes: bytes))
            if name == Self.registryLogin {
                tasks.append(Declare.secretFile("/root/.docker/config.json", bytes: bytes))
            }
        }
        return tasks
    }
}
