// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS

/// kube-proxy on every node, configured by a ConfigMap.
///
/// - Differs: kops runs it as a static pod with a key of its own on each node; here it is a DaemonSet with an account.
struct KubeProxyAddon {
    let config: NodeConfig
    let release: KubernetesRelease

    private static let account = "/var/run/secrets/kubernetes.io/serviceaccount"

    func objects() throws -> [JSONValue] {
        let files: JSONValue = [
            "config.json": .string(try text(configuration())),
            "kubeconfig.json": .string(try text(kubeconfig)),
        ]
        return [
            Manifest.serviceAccount("kube-proxy"),
            Manifest.clusterRoleBinding(
                "kopslite:kube-proxy",
                role: "system:node-proxier",
                subject: Manifest.account("kube-proxy")
            ),
            Manifest.object(
                "ConfigMap",
                name: "kube-proxy",
                labels: ["k8s-app": "kube-proxy"],
                members: ["data": files]
            ),
            Manifest.daemonSet("kube-proxy", pod: pod),
        ]
    }

    private func text(_ document: JSONValue) throws -> String {
        String(decoding: try document.encoded(), as: UTF8.self)
    }

    /// The KubeProxyConfiguration; nodeup and not kube-proxy sets conntrack's limits, for where a machine is a container
    /// they are its host's and kube-proxy would stop at the failed write.
    private func configuration() throws -> JSONValue {
        var document: JSONValue = [
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "bindAddress": "0.0.0.0",
            "clientConnection": ["kubeconfig": "/var/lib/kube-proxy/kubeconfig.json"],
            "clusterCIDR": .string(config.network.podCIDR),
            "conntrack": ["maxPerCore": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s"],
            "mode": "iptables",
        ]
        for (flag, value) in (config.flags["kube-proxy"] ?? [:]).sorted(by: { $0.key < $1.key }) {
            document[try field(of: flag)] = .string(value)
        }
        return document
    }

    /// kube-proxy ignores nearly all flags beside `--config`, so they have to become fields.
    private func field(of flag: String) throws -> String {
        let fields = [
            "bind-address": "bindAddress", "cluster-cidr": "clusterCIDR",
            "healthz-bind-address": "healthzBindAddress", "metrics-bind-address": "metricsBindAddress",
            "proxy-mode": "mode",
        ]
        guard let field = fields[flag] else {
            throw Failure(
                .permanent,
                code: "flag-unsupported",
                "cannot configure kube-proxy: the flag '\(flag)' is not supported",
                hint: "use one of \(fields.keys.sorted().joined(separator: ", "))"
            )
        }
        return field
    }

    /// Names the API server by its host and not by its Service address, which only kube-proxy makes reachable.
    private var kubeconfig: JSONValue {
        let server = "https://\(config.network.apiHost):\(config.network.apiPort)"
        return [
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                [
                    "name": "default",
                    "cluster": [
                        "certificate-authority": .string(Self.account + "/ca.crt"), "server": .string(server),
                    ],
                ]
            ],
            "contexts": [["name": "default", "context": ["cluster": "default", "user": "default"]]],
            "current-context": "default",
            "users": [["name": "default", "user": ["tokenFile": .string(Self.account + "/token")]]],
        ]
    }

    private var pod: [String: JSONValue] {
        let command: [JSONValue] = [
            "kube-proxy", "--config=/var/lib/kube-proxy/config.json", "--hostname-override=$(NODE_NAME)",
        ]
        let container: JSONValue = [
            "name": "kube-proxy",
            "image": .string(AddonSet.image(of: "kube-proxy", in: config, release)),
            "imagePullPolicy": "IfNotPresent",
            "command": .array(command),
            "env": [Manifest.nodeName],
            "resources": ["requests": ["cpu": "100m"]],
            "securityContext": ["privileged": true],
            "volumeMounts": [
                ["name": "config", "mountPath": "/var/lib/kube-proxy", "readOnly": true],
                ["name": "xtables-lock", "mountPath": "/run/xtables.lock"],
                ["name": "modules", "mountPath": "/lib/modules", "readOnly": true],
            ],
        ]
        return [
            "containers": [container],
            "hostNetwork": true,
            "priorityClassName": "system-node-critical",
            "serviceAccountName": "kube-proxy",
            "nodeSelector": ["kubernetes.io/os": "linux"],
            "tolerations": Manifest.tolerateAll,
            "volumes": [
                ["name": "config", "configMap": ["name": "kube-proxy"]],
                Manifest.hostPath("xtables-lock", "/run/xtables.lock", type: "FileOrCreate"),
                Manifest.hostPath("modules", "/lib/modules", type: "DirectoryOrCreate"),
            ],
        ]
    }
}
