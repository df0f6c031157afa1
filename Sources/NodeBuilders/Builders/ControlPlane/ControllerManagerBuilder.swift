// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks
import PKI
import SystemPackage

/// The controller manager: its identity, the keys it signs with and its static pod.
struct ControllerManagerBuilder: NodeBuilder {
    private static let name = "kube-controller-manager"
    private static let directory = NodePaths.controllerManager

    private static func path(_ name: String) -> FilePath { directory.appending(name) }

    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        guard context.isControlPlane else { return [] }
        let signer = try context.primaryPair(KeysetName.kubernetes)
        let files: [any NodeTask] = [
            Declare.file(Self.path("root-ca.crt"), text: try context.authority(KeysetName.kubernetes)),
            Declare.file(Self.path("front-proxy-ca.crt"), text: try context.authority(KeysetName.frontProxy)),
            // Only the certificate whose key signs: the controller takes the first of a file.
            Declare.file(Self.path("signing-ca.crt"), text: signer.pair.certificate),
            Declare.secretFile(Self.path("signing-ca.key"), bytes: Array(signer.privateKey.utf8)),
            Declare.secretFile(
                Self.path("service-account.key"),
                bytes: Array(try context.primaryPair(KeysetName.serviceAccount).privateKey.utf8)
            ),
        ]
        let component = ControlPlaneClient(name: Self.name, directory: Self.directory)
        return [Declare.directory(Self.directory, mode: 0o700)] + files
            + [try component.certificate(context), try component.kubeconfig(context)]
            + [component.laterManifest(try pod(context).manifest.encoded(), needs: files.map(\.id), in: context)]
    }

    private func pod(_ context: NodeContext) throws -> StaticPod {
        StaticPod(
            name: Self.name,
            image: AddonSet.image(of: Self.name, in: context.config, context.release),
            flags: flags(context).overridden(by: context.config.flags[Self.name]),
            directory: Self.directory.string,
            cpu: "200m",
            startedWith: try context.pairs(trusted: [KeysetName.kubernetes], signing: [KeysetName.serviceAccount]),
            probes: StaticPod.Probes(port: 10257, live: "/healthz", ready: nil)
        )
    }

    private func flags(_ context: NodeContext) -> FlagList {
        let network = context.network
        let kubeconfig = Self.path("kubeconfig").string
        var flags: FlagList = [
            "allocate-node-cidrs": "true",
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
            "bind-address": "127.0.0.1",
            "client-ca-file": Self.path("root-ca.crt").string,
            "cluster-cidr": network.podCIDR,
            "cluster-name": context.config.clusterName,
            "cluster-signing-cert-file": Self.path("signing-ca.crt").string,
            "cluster-signing-key-file": Self.path("signing-ca.key").string,
            "controllers": "*,bootstrapsigner,tokencleaner",
            "kubeconfig": kubeconfig,
            "leader-elect": "true",
            "requestheader-client-ca-file": Self.path("front-proxy-ca.crt").string,
            "root-ca-file": Self.path("root-ca.crt").string,
            "service-account-private-key-file": Self.path("service-account.key").string,
            "service-cluster-ip-range": network.serviceCIDR,
            "use-service-account-credentials": "true",
        ]
        if context.release.hasInsecureComponentPort { flags["port"] = "0" }
        return flags
    }
}
