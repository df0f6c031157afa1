// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// containerd's `/etc/containerd/config.toml`.
///
/// - Shape: version 2, which containerd 1.3 to 1.7 read and 2.x migrates while reading.
struct ContainerdConfig: Sendable {
    var sandboxImage: String
    /// Whether containers' cgroups are made by systemd; kubelet has to be told the same.
    var usesSystemdCgroups: Bool

    /// The file's text.
    ///
    /// Values are image references and constants, none of which needs escaping in TOML.
    var text: String {
        """
        version = 2

        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "\(sandboxImage)"

          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "\(NodePaths.cniBinaries)"
            conf_dir = "\(NodePaths.cniConfiguration)"

          [plugins."io.containerd.grpc.v1.cri".containerd]
            default_runtime_name = "runc"

            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
              runtime_type = "io.containerd.runc.v2"

              [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
                SystemdCgroup = \(usesSystemdCgroups)

        """
    }
}
