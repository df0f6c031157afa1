// SPDX-License-Identifier: Apache-2.0
import KopsModel
import SystemPackage

/// The pod network: writes each node's CNI configuration and keeps a route to every other node's pods.
struct PodNetworkAddon {
    let config: NodeConfig
    let release: KubernetesRelease

    private static let name = "pod-network"

    var objects: [JSONValue] {
        [
            Manifest.serviceAccount(Self.name),
            Manifest.clusterRole(
                "kopslite:pod-network",
                rules: [Manifest.rule(["nodes"], ["get", "list", "watch"])]
            ),
            Manifest.clusterRoleBinding(
                "kopslite:pod-network",
                role: "kopslite:pod-network",
                subject: Manifest.account(Self.name)
            ),
            Manifest.daemonSet(Self.name, pod: pod),
        ]
    }

    /// The API server's own address goes in as the Service's: without it the pod would need kube-proxy's rules, and
    /// nodes would wait for one another.
    private var environment: JSONValue {
        [
            Manifest.nodeName,
            ["name": "CLUSTER_CIDR", "value": .string(config.network.podCIDR)],
            ["name": "KUBERNETES_SERVICE_HOST", "value": .string(config.network.apiHost)],
            ["name": "KUBERNETES_SERVICE_PORT", "value": .string(String(config.network.apiPort))],
        ]
    }

    private var pod: [String: JSONValue] {
        let capabilities: JSONValue = ["drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]]
        let ready: JSONValue = [
            "exec": ["command": ["test", "-e", "/run/ready"]], "periodSeconds": 1, "failureThreshold": 1,
        ]
        let container: JSONValue = [
            "name": .string(Self.name),
            "image": .string(AddonSet.image(of: Self.name, in: config, release)),
            "imagePullPolicy": "IfNotPresent",
            "env": environment,
            "readinessProbe": ready,
            "resources": ["requests": ["cpu": "20m", "memory": "20Mi"]],
            "securityContext": ["allowPrivilegeEscalation": false, "capabilities": capabilities],
            "volumeMounts": [
                ["name": "cni", "mountPath": .string(NodePaths.cniConfiguration.string)],
                ["name": "xtables-lock", "mountPath": "/run/xtables.lock"],
            ],
        ]
        return [
            "containers": [container],
            "hostNetwork": true,
            "priorityClassName": "system-node-critical",
            "serviceAccountName": .string(Self.name),
            "nodeSelector": ["kubernetes.io/os": "linux"],
            "tolerations": Manifest.tolerateAll,
            "terminationGracePeriodSeconds": 5,
            "volumes": [
                Manifest.hostPath("cni", NodePaths.cniConfiguration.string, type: "DirectoryOrCreate"),
                Manifest.hostPath("xtables-lock", "/run/xtables.lock", type: "FileOrCreate"),
            ],
        ]
    }
}
