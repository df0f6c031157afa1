// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks
import SystemPackage

/// The container runtime: its package, configuration and service.
struct RuntimeBuilder: NodeBuilder {
    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        switch context.config.containerRuntime {
        case .docker: try docker(context)
        case .containerd: containerd(context)
        }
    }

    /// The task of the runtime's configuration, which its package comes after.
    static func configuration(_ context: NodeContext) -> TaskID {
        .file(context.config.containerRuntime == .docker ? dockerConfiguration : containerdConfiguration)
    }

    private static let dockerConfiguration: FilePath = "/etc/docker/daemon.json"
    private static let containerdConfiguration: FilePath = "/etc/containerd/config.toml"

    /// Docker without its own networking: pods' networks are CNI's, and rules of two masters in iptables collide.
    private func docker(_ context: NodeContext) throws -> [any NodeTask] {
        let configuration: JSONValue = [
            "bridge": "none",
            "exec-opts": [.string("native.cgroupdriver=\(context.cgroupDriver)")],
            "ip-masq": false,
            "iptables": false,
            "live-restore": true,
            "log-driver": "json-file",
            "log-opts": ["max-file": "5", "max-size": "10m"],
            "storage-driver": "overlay2",
        ]
        return runtime(
            "docker.io",
            service: "docker.service",
            configuration: Declare.file(Self.dockerConfiguration, json: try configuration.encoded())
        )
    }

    /// The package's own configuration gives way to the one it finds (dpkg(1), `--force-confold`).
    private func containerd(_ context: NodeContext) -> [any NodeTask] {
        let pause = AddonSet.image(of: "pause", in: context.config, context.release)
        let configuration = ContainerdConfig(sandboxImage: pause, usesSystemdCgroups: context.usesSystemdCgroups)
        return runtime(
            "containerd",
            service: "containerd.service",
            configuration: Declare.file(Self.containerdConfiguration, text: configuration.text)
        )
    }

    /// A package starts its service as it is installed; with its configuration there, that start is the only one.
    private func runtime(_ package: String, service: String, configuration: any NodeTask) -> [any NodeTask] {
        [
            configuration,
            Declare.package(package, after: [configuration.id]),
            Declare.service(service, after: [.package(package)], restartOn: [configuration.id]),
        ]
    }
}
