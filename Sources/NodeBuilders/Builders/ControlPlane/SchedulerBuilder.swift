// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks
import PKI
import SystemPackage

/// The scheduler: its identity and its static pod.
///
/// - Differs: kops writes a KubeSchedulerConfiguration, whose version changed four times between 1.20 and 1.25; the flags
///   that say the same, kubeadm's, did not.
struct SchedulerBuilder: NodeBuilder {
    private static let name = "kube-scheduler"
    private static let directory = NodePaths.scheduler

    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        guard context.isControlPlane else { return [] }
        let component = ControlPlaneClient(name: Self.name, directory: Self.directory)
        return [
            Declare.directory(Self.directory, mode: 0o700),
            try component.certificate(context),
            try component.kubeconfig(context),
            Declare.file(Self.directory.appending("ca.crt"), text: try context.authority(KeysetName.kubernetes)),
            component.laterManifest(
                try pod(context).manifest.encoded(),
                needs: [.file(Self.directory.appending("ca.crt"))],
                in: context
            ),
        ]
    }

    private func pod(_ context: NodeContext) throws -> StaticPod {
        let kubeconfig = Self.directory.appending("kubeconfig").string
        var flags: FlagList = [
            "authentication-kubeconfig": kubeconfig,
            "authorization-kubeconfig": kubeconfig,
            "bind-address": "127.0.0.1",
            "kubeconfig": kubeconfig,
            "leader-elect": "true",
        ]
        if context.release.hasInsecureComponentPort { flags["port"] = "0" }
        return StaticPod(
            name: Self.name,
            image: AddonSet.image(of: Self.name, in: context.config, context.release),
            flags: flags.overridden(by: context.config.flags[Self.name]),
            directory: Self.directory.string,
            cpu: "100m",
            startedWith: try context.pairs(trusted: [KeysetName.kubernetes]),
            probes: StaticPod.Probes(port: 10259, live: "/healthz", ready: nil)
        )
    }
}
