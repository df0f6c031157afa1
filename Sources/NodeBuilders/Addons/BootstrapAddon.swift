// SPDX-License-Identifier: Apache-2.0
import KopsModel

/// The permissions by which a machine with the bootstrap token becomes a node.
///
/// - Source: Kubernetes' documentation "TLS bootstrapping"; the roles are built into the API server.
/// - Note: The token itself is a Secret that protokube makes; an add-on object is no place for it.
enum BootstrapAddon {
    private static let bootstrappers = "system:bootstrappers"
    private static let requests = "system:certificates.k8s.io:certificatesigningrequests"

    static var objects: [JSONValue] {
        [
            Manifest.clusterRoleBinding(
                "kopslite:create-csrs-for-bootstrapping",
                role: "system:node-bootstrapper",
                subject: Manifest.group(bootstrappers)
            ),
            Manifest.clusterRoleBinding(
                "kopslite:approve-bootstrap-csrs",
                role: "\(requests):nodeclient",
                subject: Manifest.group(bootstrappers)
            ),
            Manifest.clusterRoleBinding(
                "kopslite:approve-renewal-csrs",
                role: "\(requests):selfnodeclient",
                subject: Manifest.group("system:nodes")
            ),
            // Logs, exec and port forwarding: the API server as a client of kubelet.
            Manifest.clusterRoleBinding(
                "kopslite:kubelet-api",
                role: "system:kubelet-api-admin",
                subject: Manifest.user(APIServerBuilder.kubeletClientName)
            ),
        ]
    }
}
