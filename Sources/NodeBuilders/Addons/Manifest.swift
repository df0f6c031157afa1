// SPDX-License-Identifier: Apache-2.0
import KopsModel

/// Pieces that several add-ons' objects share.
enum Manifest {
    /// The namespace of all add-ons.
    static let namespace = "kube-system"
    /// Tolerates everything: the pod belongs on every node from its first second.
    static let tolerateAll: JSONValue = [["operator": "Exists"]]

    /// An object in the add-ons' namespace; `members` stand beside its metadata.
    static func object(
        _ kind: String,
        api: String = "v1",
        name: String,
        labels: [String: String] = [:],
        members: [String: JSONValue] = [:]
    ) -> JSONValue {
        document(kind, api: api, metadata: metadata(name, labels: labels, namespaced: true), members: members)
    }

    /// An object outside namespaces.
    static func clusterObject(
        _ kind: String,
        api: String,
        name: String,
        members: [String: JSONValue] = [:]
    ) -> JSONValue {
        document(kind, api: api, metadata: metadata(name, labels: [:], namespaced: false), members: members)
    }

    private static func metadata(_ name: String, labels: [String: String], namespaced: Bool) -> JSONValue {
        var metadata: [String: JSONValue] = ["name": .string(name)]
        if namespaced { metadata["namespace"] = .string(namespace) }
        if !labels.isEmpty { metadata["labels"] = .object(labels.mapValues { .string($0) }) }
        return .object(metadata)
    }

    private static func document(
        _ kind: String,
        api: String,
        metadata: JSONValue,
        members: [String: JSONValue]
    ) -> JSONValue {
        var document = members
        document["apiVersion"] = .string(api)
        document["kind"] = .string(kind)
        document["metadata"] = metadata
        return .object(document)
    }

    /// An account for a pod.
    static func serviceAccount(_ name: String) -> JSONValue { object("ServiceAccount", name: name) }

    /// A set of permissions.
    static func clusterRole(_ name: String, rules: [JSONValue]) -> JSONValue {
        clusterObject("ClusterRole", api: rbac, name: name, members: ["rules": .array(rules)])
    }

    /// Permissions on all objects of some kinds.
    static func rule(group: String = "", _ resources: [String], _ verbs: [String]) -> JSONValue {
        [
            "apiGroups": [.string(group)],
            "resources": .array(resources.map { .string($0) }),
            "verbs": .array(verbs.map { .string($0) }),
        ]
    }

    /// Gives a ClusterRole to somebody everywhere.
    static func clusterRoleBinding(_ name: String, role: String, subject: JSONValue) -> JSONValue {
        let reference: JSONValue = [
            "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": .string(role),
        ]
        return clusterObject(
            "ClusterRoleBinding",
            api: rbac,
            name: name,
            members: ["roleRef": reference, "subjects": [subject]]
        )
    }

    /// A group, as the subject of a binding.
    static func group(_ name: String) -> JSONValue {
        ["apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": .string(name)]
    }

    /// A user, as the subject of a binding.
    static func user(_ name: String) -> JSONValue {
        ["apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": .string(name)]
    }

    /// A pod's account, as the subject of a binding.
    static func account(_ name: String) -> JSONValue {
        ["kind": "ServiceAccount", "name": .string(name), "namespace": .string(namespace)]
    }

    /// A pod on every node.
    static func daemonSet(_ name: String, pod: [String: JSONValue]) -> JSONValue {
        let labels: JSONValue = ["k8s-app": .string(name)]
        let spec: JSONValue = [
            "selector": ["matchLabels": labels],
            "template": ["metadata": ["labels": labels], "spec": .object(pod)],
            "updateStrategy": ["type": "RollingUpdate"],
        ]
        return object("DaemonSet", api: "apps/v1", name: name, labels: ["k8s-app": name], members: ["spec": spec])
    }

    /// The name of the node a pod runs on, as an environment variable.
    static let nodeName: JSONValue = [
        "name": "NODE_NAME", "valueFrom": ["fieldRef": ["fieldPath": "spec.nodeName"]],
    ]

    /// A path of the machine as a volume.
    static func hostPath(_ name: String, _ path: String, type: String) -> JSONValue {
        ["name": .string(name), "hostPath": ["path": .string(path), "type": .string(type)]]
    }

    private static let rbac = "rbac.authorization.k8s.io/v1"
}
