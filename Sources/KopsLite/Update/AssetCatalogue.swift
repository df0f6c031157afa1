// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeBuilders

/// Which files of a repository each role downloads, for a release.
struct AssetCatalogue {
    let release: KubernetesRelease
    let etcdVersion: String

    /// The etcd release used where the specification names none.
    static let etcdVersion = "3.4.23"
    /// The CNI plugins' release.
    static let cniVersion = "1.1.1"
    /// Where a repository keeps this project's own programs.
    static let agents = "kopslite/linux/amd64"

    /// The image tarballs a repository may have beyond the release site's; without them a registry serves the images.
    func optionalImages(for role: InstanceRole) -> [String] {
        ["pause", "pod-network", "kube-dns"]
    }

    /// The files a machine of a role cannot do without.
    func requests(for role: InstanceRole) -> [AssetResolver.Request] {
        var requests = [binary("kubelet"), image("kube-proxy"), cni]
        guard role == .controlPlane else { return requests }
        requests += [binary("kubectl"), etcd, agent("protokube")]
        requests += ["kube-apiserver", "kube-controller-manager", "kube-scheduler"].map(image)
        return requests
    }

    /// A program of this project.
    func agent(_ name: String) -> AssetResolver.Request {
        AssetResolver.Request(name: name, path: "\(Self.agents)/\(name)")
    }

    private var folder: String { "v\(release.version)/bin/linux/amd64" }

    private func binary(_ name: String) -> AssetResolver.Request {
        AssetResolver.Request(name: name, path: "\(folder)/\(name)")
    }

    private func image(_ name: String) -> AssetResolver.Request {
        AssetResolver.Request(name: name, path: "\(folder)/\(name).tar", image: release.archiveImage(of: name))
    }

    private var cni: AssetResolver.Request {
        let version = Self.cniVersion
        return AssetResolver.Request(
            name: "cni-plugins",
            path: "binaries/cni-plugins/v\(version)/cni-plugins-linux-amd64-v\(version).tgz"
        )
    }

    private var etcd: AssetResolver.Request {
        AssetResolver.Request(
            name: "etcd",
            path: "binaries/etcd/v\(etcdVersion)/etcd-v\(etcdVersion)-linux-amd64.tar.gz"
        )
    }
}
