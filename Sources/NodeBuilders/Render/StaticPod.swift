// SPDX-License-Identifier: Apache-2.0
import KopsModel

/// A component of the control plane as kubelet runs it from a file: one container on the machine's network that sees
/// one directory of the machine, read-only.
struct StaticPod: Sendable {
    var name: String
    var image: String
    var flags: FlagList
    /// The directory with the component's own keys and kubeconfig, mounted at the same path.
    var directory: String
    var cpu: String
    /// The keys that the component reads only when it starts: kubelet starts it anew when this text changes.
    var startedWith: String
    /// Linux capabilities the process keeps; all others are dropped.
    var capabilities: [String] = []
    var probes: Probes

    /// Where the component says how it is; HTTPS on the loopback address.
    struct Probes: Sendable {
        var port: Int
        var live: String
        /// `nil` when the component does not tell ready from live.
        var ready: String?
    }

    /// The Pod object.
    var manifest: JSONValue {
        [
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": [
                "name": .string(name),
                "namespace": "kube-system",
                "labels": ["component": .string(name), "k8s-app": .string(name), "tier": "control-plane"],
                "annotations": ["kopslite.io/started-with": .string(startedWith)],
            ],
            "spec": [
                "hostNetwork": true,
                // The class's own number: kubelet orders static pods by it before any API server could look it up.
                "priority": 2_000_001_000,
                "priorityClassName": "system-node-critical",
                "containers": [container],
                "volumes": [
                    ["name": "own", "hostPath": ["path": .string(directory), "type": "Directory"]]
                ],
            ],
        ]
    }

    private var container: JSONValue {
        var container: JSONValue = [
            "name": .string(name),
            "image": .string(image),
            "imagePullPolicy": "IfNotPresent",
            "command": .array(([name] + flags.arguments).map { .string($0) }),
            "resources": ["requests": ["cpu": .string(cpu)]],
            "securityContext": ["allowPrivilegeEscalation": false, "capabilities": kept],
            "volumeMounts": [["name": "own", "mountPath": .string(directory), "readOnly": true]],
            "livenessProbe": probe(probes.live, period: 10, failures: 8),
            // A slow first start is no failure: the other probes count only once this has passed.
            "startupProbe": probe(probes.live, period: 2, failures: 120),
        ]
        if let ready = probes.ready { container["readinessProbe"] = probe(ready, period: 1, failures: 3) }
        return container
    }

    private var kept: JSONValue {
        var kept: JSONValue = ["drop": ["ALL"]]
        if !capabilities.isEmpty { kept["add"] = .array(capabilities.map { .string($0) }) }
        return kept
    }

    private func probe(_ path: String, period: Int, failures: Int) -> JSONValue {
        [
            "httpGet": ["host": "127.0.0.1", "path": .string(path), "port": .int(probes.port), "scheme": "HTTPS"],
            "periodSeconds": .int(period),
            "timeoutSeconds": 15,
            "failureThreshold": .int(failures),
        ]
    }
}
