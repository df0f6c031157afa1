// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks
import PKI
import SystemPackage

/// kubelet: its program, configuration, credentials and service.
struct KubeletBuilder: NodeBuilder {
    static let service = "kubelet.service"

    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        let configuration = try KubeletConfiguration(context).document.encoded()
        let program = NodePaths.binaries.appending("kubelet")
        let base: [any NodeTask] = [
            Declare.directory(NodePaths.pki, mode: 0o755),
            Declare.file(NodePaths.authority, text: try context.authority(KeysetName.kubernetes)),
            Declare.install(try context.asset("kubelet"), to: program),
            Declare.file(NodePaths.kubeletConfiguration, json: configuration),
        ]
        return base + (context.isControlPlane ? try issued(context) : try bootstrapped(context))
            + [try service(context, program: program)]
    }

    /// A control-plane machine holds the authority, so it issues its kubelet's first certificate itself; kubelet renews it.
    private func issued(_ context: NodeContext) throws -> [any NodeTask] {
        let profile = CertificateProfile(
            commonName: "system:node:\(context.boot.instance)",
            organizations: ["system:nodes"],
            usages: [.client]
        )
        let pair = CertificatePaths(in: NodePaths.kubeletPKI, "client")
        return [
            Declare.directory(NodePaths.manifests, mode: 0o700),
            Declare.directory(NodePaths.kubeletPKI, mode: 0o700),
            Declare.certificate(pair, profile, signedBy: try context.keyset(KeysetName.kubernetes)),
            try Declare.kubeconfig(
                NodePaths.kubeletKubeconfig,
                server: context.apiURL,
                authority: NodePaths.authority,
                credential: pair.credential
            ),
        ]
    }

    /// A worker shows the bootstrap token and is given a certificate; kubelet writes its own kubeconfig.
    private func bootstrapped(_ context: NodeContext) throws -> [any NodeTask] {
        [
            try Declare.kubeconfig(
                NodePaths.kubeletBootstrapKubeconfig,
                server: context.apiURL,
                authority: NodePaths.authority,
                credential: .token(context.inputs.bootstrapToken)
            )
        ]
    }

    private func service(_ context: NodeContext, program: FilePath) throws -> any NodeTask {
        let credentials: [TaskID] =
            context.isControlPlane
            ? [
                .file(NodePaths.kubeletKubeconfig), .certificate(CertificatePaths(in: NodePaths.kubeletPKI, "client")),
                .directory(NodePaths.manifests),
            ]
            : [.file(NodePaths.kubeletBootstrapKubeconfig)]
                // The node's first pods come within seconds of its start; the other images are there before theirs.
                + ImagesBuilder.imports(["pause", "pod-network"], in: context)
        return Declare.service(
            Self.service,
            definition: unit(context, program: program.string),
            after: [.service(context.runtimeService), .file(NodePaths.authority), .hosts] + credentials,
            restartOn: [.file(program), .file(NodePaths.kubeletConfiguration)]
        )
    }

    /// The unit; it does not wait for network-online.target, which can take minutes, for kubelet tries again by itself.
    private func unit(_ context: NodeContext, program: String) -> String {
        UnitText.render([
            (
                "Unit",
                [
                    "Description=kubelet, runs this machine's pods",
                    "Documentation=https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/",
                    "After=\(context.runtimeService)",
                    "Wants=\(context.runtimeService)",
                    "StartLimitIntervalSec=0",
                ]
            ),
            (
                "Service",
                [
                    "ExecStart=\(UnitText.command(program, KubeletFlags(context).list.arguments))",
                    "Restart=always",
                    "RestartSec=2s",
                    // Containers outlive a restart of kubelet.
                    "KillMode=process",
                    "CPUAccounting=yes",
                    "MemoryAccounting=yes",
                ]
            ),
            ("Install", ["WantedBy=multi-user.target"]),
        ])
    }
}
