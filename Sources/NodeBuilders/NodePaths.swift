// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// Where a node's files are; what another program than nodeup reads is public.
public enum NodePaths {
    /// Programs that nodeup installs.
    public static let binaries: FilePath = "/usr/local/bin"
    /// The CNI plugins' programs.
    public static let cniBinaries: FilePath = "/opt/cni/bin"
    /// The CNI network list, written by the pod network's own pod.
    public static let cniConfiguration: FilePath = "/etc/cni/net.d"
    /// etcd's programs, `etcd`, `etcdctl` and `etcdutl`.
    public static let etcd: FilePath = "/opt/etcd"
    /// The static pods kubelet runs.
    public static let manifests: FilePath = "/etc/kubernetes/manifests"
    /// Static pods that protokube copies to ``manifests`` once the API server answers.
    ///
    /// kubelet holds every static pod it knows for up to 10 s while no API server answers, so it first gets only the
    /// one that ends the wait.
    public static let laterManifests: FilePath = "/var/lib/kopslite/manifests"
    /// Certificates and keys, a directory for each program that uses them.
    public static let pki: FilePath = "/etc/kubernetes/pki"
    /// The certificate authorities every program of the machine may trust, `ca.crt`.
    public static let authority: FilePath = "/etc/kubernetes/pki/ca.crt"
    /// An etcd cluster's `ca.crt`, `server.crt`, `server.key` and protokube's `client.crt`, `client.key`; for its members among
    /// themselves `peer-ca.crt`, `peer.crt`, `peer.key`.
    public static func etcdPKI(of etcdCluster: String) -> FilePath { pki.appending("etcd-\(etcdCluster)") }
    /// The operators' secrets, a file for each.
    public static let secrets: FilePath = "/etc/kopslite/secrets"
    /// The administrator's `admin.crt` and `admin.key`, which protokube uses too.
    public static let adminPKI: FilePath = "/etc/kubernetes/pki/admin"
    /// The administrator's kubeconfig on a control-plane machine.
    public static let adminKubeconfig: FilePath = "/etc/kubernetes/admin.conf"

    static let apiServer: FilePath = "/etc/kubernetes/pki/kube-apiserver"
    static let controllerManager: FilePath = "/etc/kubernetes/pki/kube-controller-manager"
    static let scheduler: FilePath = "/etc/kubernetes/pki/kube-scheduler"
    static let kubeletPKI: FilePath = "/etc/kubernetes/pki/kubelet"
    static let kubeletConfiguration: FilePath = "/var/lib/kubelet/config.json"
    static let kubeletKubeconfig: FilePath = "/var/lib/kubelet/kubeconfig"
    static let kubeletBootstrapKubeconfig: FilePath = "/var/lib/kubelet/bootstrap-kubeconfig"
    static let containerdSocket = "unix:///run/containerd/containerd.sock"
}
