// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeBuilders
import PKI
import StateStore

/// Inputs as the CLI and the acquisition make them, with secrets that are easy to find again.
enum Samples {
    static let token = "abcdef.0123456789secret0"
    static let keysetNames = KeysetName.controlPlane.sorted()

    /// Every byte sequence that no plan may show.
    static var secrets: [String] { keysetNames.map(privateKey) + [token] }

    static func privateKey(_ keyset: String) -> String {
        "-----BEGIN PRIVATE KEY-----\nsecret of \(keyset)\n-----END PRIVATE KEY-----\n"
    }
    static func certificate(_ keyset: String) -> String {
        "-----BEGIN CERTIFICATE-----\n\(keyset)\n-----END CERTIFICATE-----\n"
    }

    static func inputs(
        _ version: String,
        _ role: InstanceRole,
        _ runtime: ContainerRuntime = .containerd,
        cgroupVersion: Int = 2,
        isContainer: Bool = false
    ) -> NodeInputs {
        let isControlPlane = role == .controlPlane
        let instance = isControlPlane ? "control-plane-1" : "node-1"
        let address = isControlPlane ? "10.0.0.10" : "10.0.0.20"
        return NodeInputs(
            boot: BootConfig(
                store: "file:///srv/kopslite",
                clusterName: "demo.example.com",
                instanceGroup: isControlPlane ? "control-plane" : "nodes",
                instance: instance,
                address: address
            ),
            followed: FollowedGeneration(number: 1, manifest: "", trust: []),
            config: config(version, role, runtime),
            keysets: isControlPlane ? keysets : [:],
            bootstrapToken: token,
            apiAddresses: ["10.0.0.10"],
            facts: NodeFacts(cgroupVersion: cgroupVersion, isContainer: isContainer, conntrackWritable: !isContainer)
        )
    }

    /// The same machine in a cluster with three control-plane machines.
    static func ofThree(_ inputs: NodeInputs) -> NodeInputs {
        var inputs = inputs
        inputs.config.network.apiAddress = "10.0.0.254"
        inputs.apiAddresses = ["10.0.0.254"]
        inputs.config.controlPlane?.etcdClusters = ["main", "events"].map {
            EtcdClusterConfig(name: $0, version: "3.4.23", members: ["a", "b", "c"])
        }
        return inputs
    }

    private static var keysets: [String: Keyset] {
        Dictionary(
            uniqueKeysWithValues: keysetNames.map { name in
                let isKey = name == "service-account"
                let pair = Keyset.Pair(
                    id: "1",
                    certificate: isKey ? "" : certificate(name),
                    publicKey: isKey ? "-----BEGIN PUBLIC KEY-----\n\(name)\n-----END PUBLIC KEY-----\n" : nil,
                    privateKey: privateKey(name)
                )
                return (name, Keyset(name: name, primary: "1", pairs: [pair]))
            }
        )
    }

    static func config(_ version: String, _ role: InstanceRole, _ runtime: ContainerRuntime = .containerd) -> NodeConfig
    {
        let isControlPlane = role == .controlPlane
        return NodeConfig(
            clusterName: "demo.example.com",
            instanceGroup: isControlPlane ? "control-plane" : "nodes",
            role: role,
            cloud: "local",
            kubernetesVersion: version,
            containerRuntime: runtime,
            network: NetworkConfig(
                apiHost: "api.internal.demo.example.com",
                apiPort: 443,
                podCIDR: "100.96.0.0/11",
                serviceCIDR: "100.64.0.0/13",
                apiServiceAddress: "100.64.0.1",
                dnsAddress: "100.64.0.10",
                dnsDomain: "cluster.local"
            ),
            certificateAuthorities: Dictionary(
                uniqueKeysWithValues: keysetNames.dropLast().map { ($0, certificate($0)) }
            ),
            assets: assets(version, isControlPlane: isControlPlane),
            nodeLabels: [
                "example.com/pool": "blue", "node.kubernetes.io/instance-type": "small",
                isControlPlane ? "node-role.kubernetes.io/control-plane" : "node-role.kubernetes.io/node": "",
            ],
            taints: isControlPlane ? ["node-role.kubernetes.io/control-plane=:NoSchedule"] : [],
            controlPlane: isControlPlane
                ? ControlPlaneConfig(
                    etcdClusters: [EtcdClusterConfig(name: "main", version: "3.4.23", members: ["a"])],
                    apiServerNames: ["api.demo.example.com", "203.0.113.7"],
                    addons: []
                )
                : nil
        )
    }

    /// Some images with archives and some without, as a mirror that lacks the DNS image has them.
    private static func assets(_ version: String, isControlPlane: Bool) -> [String: Asset] {
        let programs = ["cni-plugins", "kubelet"] + (isControlPlane ? ["etcd", "kubectl", "protokube"] : [])
        let images =
            ["kube-proxy", "page", "pause", "pod-network"]
            + (isControlPlane ? ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] : [])
        var assets: [String: Asset] = [:]
        for (index, name) in (programs + images).sorted().enumerated() {
            let digest = String(repeating: String(index, radix: 16), count: 64)
            let image =
                images.contains(name)
                ? (name == "page" ? "kopslite/page:1" : "mirror.example.com/\(name):\(version)") : nil
            assets[name] = Asset(sha256: digest, sources: ["https://mirror.example.com/\(name)"], image: image)
        }
        return assets
    }
}
