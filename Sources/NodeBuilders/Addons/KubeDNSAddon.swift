// SPDX-License-Identifier: Apache-2.0
import KopsModel

/// The cluster's DNS, laid out as CoreDNS' own deployment, so that its image can be replaced by any CoreDNS.
struct KubeDNSAddon {
    let config: NodeConfig
    let release: KubernetesRelease

    private static let labels = ["k8s-app": "kube-dns"]
    private static let selector: JSONValue = ["matchLabels": ["k8s-app": "kube-dns"]]
    private static let ports: [(name: String, port: Int, transport: String)] = [
        ("dns", 53, "UDP"), ("dns-tcp", 53, "TCP"), ("metrics", 9153, "TCP"),
    ]

    var objects: [JSONValue] {
        [
            Manifest.serviceAccount("coredns"),
            Manifest.clusterRole("system:coredns", rules: rules),
            Manifest.clusterRoleBinding("system:coredns", role: "system:coredns", subject: Manifest.account("coredns")),
            Manifest.object("ConfigMap", name: "coredns", members: ["data": ["Corefile": .string(corefile)]]),
            service,
            Manifest.object(
                "PodDisruptionBudget",
                api: release.disruptionBudgetAPI,
                name: "kube-dns",
                labels: Self.labels,
                members: ["spec": ["maxUnavailable": 1, "selector": Self.selector]]
            ),
            deployment,
        ]
    }

    private var rules: [JSONValue] {
        [
            Manifest.rule(["endpoints", "namespaces", "pods", "services"], ["list", "watch"]),
            Manifest.rule(group: "discovery.k8s.io", ["endpointslices"], ["list", "watch"]),
        ]
    }

    /// The Corefile as kubeadm writes it.
    private var corefile: String {
        """
        .:53 {
            errors
            health {
                lameduck 5s
            }
            ready
            kubernetes \(config.network.dnsDomain) in-addr.arpa ip6.arpa {
                pods insecure
                fallthrough in-addr.arpa ip6.arpa
                ttl 30
            }
            prometheus :9153
            forward . /etc/resolv.conf {
                max_concurrent 1000
            }
            cache 30
            loop
            reload
            loadbalance
        }

        """
    }

    private var service: JSONValue {
        let ports = Self.ports.map { entry -> JSONValue in
            ["name": .string(entry.name), "port": .int(entry.port), "protocol": .string(entry.transport)]
        }
        let labels = Self.labels.merging(["kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"]) {
            $1
        }
        let spec: JSONValue = [
            "clusterIP": .string(config.network.dnsAddress), "ports": .array(ports),
            "selector": ["k8s-app": "kube-dns"],
        ]
        return Manifest.object("Service", name: "kube-dns", labels: labels, members: ["spec": spec])
    }

    private var deployment: JSONValue {
        let spec: JSONValue = [
            "replicas": 2,
            "selector": Self.selector,
            "strategy": ["type": "RollingUpdate", "rollingUpdate": ["maxUnavailable": 1]],
            "template": ["metadata": ["labels": ["k8s-app": "kube-dns"]], "spec": .object(pod)],
        ]
        return Manifest.object(
            "Deployment",
            api: "apps/v1",
            name: "coredns",
            labels: Self.labels,
            members: ["spec": spec]
        )
    }

    private var pod: [String: JSONValue] {
        let files: JSONValue = ["name": "coredns", "items": [["key": "Corefile", "path": "Corefile"]]]
        return [
            "affinity": affinity,
            "containers": [container],
            "dnsPolicy": "Default",
            "nodeSelector": ["kubernetes.io/os": "linux"],
            "priorityClassName": "system-cluster-critical",
            "serviceAccountName": "coredns",
            "tolerations": tolerations,
            "volumes": [["name": "config", "configMap": files]],
        ]
    }

    /// Two replicas on one node are better than one pending: the preference is soft.
    private var affinity: JSONValue {
        let term: JSONValue = ["labelSelector": Self.selector, "topologyKey": "kubernetes.io/hostname"]
        return [
            "podAntiAffinity": [
                "preferredDuringSchedulingIgnoredDuringExecution": [["weight": 100, "podAffinityTerm": term]]
            ]
        ]
    }

    private var tolerations: JSONValue {
        // Both names of the control plane's taint, whichever the nodes' release uses.
        [
            ["key": "CriticalAddonsOnly", "operator": "Exists"],
            ["key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"],
            ["key": "node-role.kubernetes.io/master", "effect": "NoSchedule"],
        ]
    }

    private var container: JSONValue {
        let ports = Self.ports.map { entry -> JSONValue in
            ["name": .string(entry.name), "containerPort": .int(entry.port), "protocol": .string(entry.transport)]
        }
        let live: JSONValue = [
            "httpGet": ["path": "/health", "port": 8080], "initialDelaySeconds": 60, "periodSeconds": 10,
            "timeoutSeconds": 5, "failureThreshold": 5,
        ]
        let ready: JSONValue = ["httpGet": ["path": "/ready", "port": 8181], "periodSeconds": 2]
        return [
            "name": "coredns",
            "image": .string(AddonSet.image(of: "kube-dns", in: config, release)),
            "imagePullPolicy": "IfNotPresent",
            "args": ["-conf", "/etc/coredns/Corefile"],
            "livenessProbe": live,
            "readinessProbe": ready,
            "ports": .array(ports),
            "resources": ["requests": ["cpu": "100m", "memory": "70Mi"], "limits": ["memory": "170Mi"]],
            "securityContext": [
                "allowPrivilegeEscalation": false,
                // SETGID for dnsmasq, which serves where no CoreDNS image can be had: it begins by leaving its groups.
                "capabilities": ["drop": ["ALL"], "add": ["NET_BIND_SERVICE", "SETGID"]],
                "readOnlyRootFilesystem": true,
            ],
            "volumeMounts": [["name": "config", "mountPath": "/etc/coredns", "readOnly": true]],
        ]
    }
}
