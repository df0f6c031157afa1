// SPDX-License-Identifier: Apache-2.0
import KopsModel

extension ControlPlaneConfig {
    /// The release of the etcd cluster `main`.
    var etcdVersion: String { etcd("main")?.version ?? "" }
    /// The label of its volume.
    var etcdVolumeLabel: String { EtcdClusterConfig.volumeLabel(of: "main") }
}
