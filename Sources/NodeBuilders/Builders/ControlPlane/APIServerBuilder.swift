// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeTasks
import PKI
import SystemPackage

/// The API server: certificates, keys and the static pod.
///
/// - Source: kubeadm's manifests of 1.20 to 1.36, whose flags all these minors know.
struct APIServerBuilder: NodeBuilder {
    /// The user the API server is to kubelets.
    static let kubeletClientName = "kube-apiserver-kubelet-client"
    private static let name = "kube-apiserver"
    private static let directory = NodePaths.apiServer

    private static func path(_ name: String) -> FilePath { directory.appending(name) }

    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        guard context.isControlPlane else { return [] }
        let files = try authorities(context) + serviceAccountKeys(context) + certificates(context)
        let needed = files.map(\.id) + ImagesBuilder.imports(["pause", Self.name], in: context)
        let manifest = Declare.file(
            NodePaths.manifests.appending("kube-apiserver.json"),
            json: try pod(context).manifest.encoded(),
            mode: 0o600,
            // kubelet may be up already: it finds the pod when all that the pod needs is there.
            after: needed
        )
        return [Declare.directory(Self.directory, mode: 0o700)] + files + [manifest]
    }

    private func authorities(_ context: NodeContext) throws -> [any NodeTask] {
        [
            Declare.file(Self.path("client-ca.crt"), text: try context.authority(KeysetName.kubernetes)),
            Declare.file(Self.path("etcd-ca.crt"), text: try context.authority(KeysetName.etcdClients)),
            Declare.file(Self.path("front-proxy-ca.crt"), text: try context.authority(KeysetName.frontProxy)),
        ]
    }

    /// One key signs, all are believed.
    private func serviceAccountKeys(_ context: NodeContext) throws -> [any NodeTask] {
        let keys = try context.keyset(KeysetName.serviceAccount).trustedPairs.compactMap(\.publicKey).joined()
        return [
            Declare.file(Self.path("service-account.pub"), text: keys),
            Declare.secretFile(
                Self.path("service-account.key"),
                bytes: Array(try context.primaryPair(KeysetName.serviceAccount).privateKey.utf8)
            ),
        ]
    }

    private func certificates(_ context: NodeContext) throws -> [any NodeTask] {
        let kubernetes = try context.keyset(KeysetName.kubernetes)
        let names = Self.names(context)
        return [
            Declare.certificate(
                CertificatePaths(in: Self.directory, "server"),
                CertificateProfile(
                    commonName: Self.name,
                    dnsNames: names.dns,
                    ipAddresses: names.addresses,
                    usages: [.server]
                ),
                signedBy: kubernetes
            ),
            Declare.certificate(
                CertificatePaths(in: Self.directory, "kubelet-client"),
                CertificateProfile(commonName: Self.kubeletClientName, usages: [.client]),
                signedBy: kubernetes
            ),
            Declare.certificate(
                CertificatePaths(in: Self.directory, "etcd-client"),
                CertificateProfile(commonName: "kube-apiserver-etcd-client", usages: [.client]),
                signedBy: try context.keyset(KeysetName.etcdClients)
            ),
            Declare.certificate(
                CertificatePaths(in: Self.directory, "front-proxy-client"),
                CertificateProfile(commonName: "front-proxy-client", usages: [.client]),
                signedBy: try context.keyset(KeysetName.frontProxy)
            ),
        ]
    }

    /// Everything a client may call the API server by.
    static func names(_ context: NodeContext) -> (dns: [String], addresses: [String]) {
        let network = context.network
        let all =
            [
                "kubernetes", "kubernetes.default", "kubernetes.default.svc",
                "kubernetes.default.svc.\(network.dnsDomain)", network.apiHost, context.boot.instance, "localhost",
                network.apiServiceAddress, "127.0.0.1", context.boot.address,
            ] + (network.apiAddress.map { [$0] } ?? []) + (context.config.controlPlane?.apiServerNames ?? [])
        var seen = Set<String>()
        let unique = all.filter { seen.insert($0).inserted }
        return (unique.filter { !isAddress($0) }, unique.filter(isAddress))
    }

    /// A name has no colon and some letter.
    private static func isAddress(_ text: String) -> Bool {
        text.contains(":") || text.allSatisfy { $0.isNumber || $0 == "." }
    }

    private func pod(_ context: NodeContext) throws -> StaticPod {
        StaticPod(
            name: Self.name,
            image: AddonSet.image(of: Self.name, in: context.config, context.release),
            flags: flags(context).overridden(by: context.config.flags[Self.name]),
            directory: Self.directory.string,
            cpu: "250m",
            startedWith: try context.pairs(
                trusted: [KeysetName.etcdClients, KeysetName.serviceAccount],
                signing: [KeysetName.serviceAccount]
            ),
            capabilities: ["NET_BIND_SERVICE"],
            probes: StaticPod.Probes(port: context.network.apiPort, live: "/livez", ready: "/readyz")
        )
    }

    private func flags(_ context: NodeContext) -> FlagList {
        let network = context.network
        var flags: FlagList = [
            "advertise-address": context.boot.address,
            "allow-privileged": "true",
            "authorization-mode": "Node,RBAC",
            "client-ca-file": Self.path("client-ca.crt").string,
            "enable-admission-plugins": "NodeRestriction",
            "enable-bootstrap-token-auth": "true",
            "etcd-cafile": Self.path("etcd-ca.crt").string,
            "etcd-certfile": Self.path("etcd-client.crt").string,
            "etcd-keyfile": Self.path("etcd-client.key").string,
            "etcd-servers": Self.url(of: context.config.controlPlane?.etcd("main")),
            "kubelet-client-certificate": Self.path("kubelet-client.crt").string,
            "kubelet-client-key": Self.path("kubelet-client.key").string,
            "kubelet-preferred-address-types": "InternalIP,ExternalIP,Hostname",
            "proxy-client-cert-file": Self.path("front-proxy-client.crt").string,
            "proxy-client-key-file": Self.path("front-proxy-client.key").string,
            "requestheader-allowed-names": "front-proxy-client",
            "requestheader-client-ca-file": Self.path("front-proxy-ca.crt").string,
            "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "requestheader-group-headers": "X-Remote-Group",
            "requestheader-username-headers": "X-Remote-User",
            "secure-port": String(network.apiPort),
            "service-account-issuer": "https://kubernetes.default.svc.\(network.dnsDomain)",
            "service-account-key-file": Self.path("service-account.pub").string,
            "service-account-signing-key-file": Self.path("service-account.key").string,
            "service-cluster-ip-range": network.serviceCIDR,
            "tls-cert-file": Self.path("server.crt").string,
            "tls-private-key-file": Self.path("server.key").string,
        ]
        if let events = context.config.controlPlane?.etcd("events") {
            // group/resource#URL;URL: the core group's name is empty, and events.k8s.io keeps its events with it.
            flags["etcd-servers-overrides"] = "/events#" + Self.url(of: events)
        }
        // Each API server keeps a lease, and the Service kubernetes leads to those whose lease is fresh. It is the default
        // of all supported releases; said where it matters.
        if network.apiAddress != nil { flags["endpoint-reconciler-type"] = "lease" }
        return flags
    }

    /// The machine's own member: with it gone this API server is not ready, and others serve.
    private static func url(of etcd: EtcdClusterConfig?) -> String {
        "https://127.0.0.1:\(etcd?.clientPort ?? 2379)"
    }
}
