// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks
import PKI
import SystemPackage

/// The administrator's credentials on a control-plane machine, for protokube and for root's kubectl.
struct AdminBuilder: NodeBuilder {
    static let pair = CertificatePaths(in: NodePaths.adminPKI, "admin")

    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        guard context.isControlPlane else { return [] }
        let profile = CertificateProfile(
            commonName: "kubernetes-admin:\(context.boot.instance)",
            organizations: ["system:masters"],
            usages: [.client]
        )
        return [
            Declare.directory(NodePaths.adminPKI, mode: 0o700),
            Declare.certificate(Self.pair, profile, signedBy: try context.keyset(KeysetName.kubernetes)),
            try Declare.kubeconfig(
                NodePaths.adminKubeconfig,
                server: context.ownAPIURL,
                authority: NodePaths.authority,
                credential: Self.pair.credential
            ),
            Declare.install(try context.asset("kubectl"), to: NodePaths.binaries.appending("kubectl")),
            Declare.symlink("/root/.kube/config", to: NodePaths.adminKubeconfig.string),
        ]
    }
}
