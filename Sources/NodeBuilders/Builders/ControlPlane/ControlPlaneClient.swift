// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks
import PKI
import SystemPackage

/// What controller manager and scheduler have in common: a certificate, a kubeconfig and a manifest that waits.
struct ControlPlaneClient: Sendable {
    let name: String
    let directory: FilePath

    private var pair: CertificatePaths { CertificatePaths(in: directory, "client") }
    private var kubeconfigPath: FilePath { directory.appending("kubeconfig") }
    /// The component's own copy of the authority: its pod sees nothing outside its directory.
    private var authority: FilePath {
        directory.appending(name == "kube-controller-manager" ? "root-ca.crt" : "ca.crt")
    }

    /// The certificate of the user `system:<component>`, whose permissions are built into the API server.
    func certificate(_ context: NodeContext) throws -> any NodeTask {
        Declare.certificate(
            pair,
            CertificateProfile(commonName: "system:\(name)", usages: [.client]),
            signedBy: try context.keyset(KeysetName.kubernetes)
        )
    }

    /// The kubeconfig, which names the machine's own API server: of several components the one that leads is then one whose
    /// API server works.
    func kubeconfig(_ context: NodeContext) throws -> any NodeTask {
        try Declare.kubeconfig(
            kubeconfigPath,
            server: context.ownAPIURL,
            authority: authority,
            credential: pair.credential
        )
    }

    /// The manifest, there once all that the pod needs is; protokube hands it to kubelet.
    func laterManifest(_ manifest: [UInt8], needs: [TaskID], in context: NodeContext) -> any NodeTask {
        Declare.file(
            NodePaths.laterManifests.appending(name + ".json"),
            json: manifest,
            mode: 0o600,
            after: needs + [.certificate(pair), .file(kubeconfigPath)] + ImagesBuilder.imports([name], in: context)
        )
    }
}
