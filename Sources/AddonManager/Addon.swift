// SPDX-License-Identifier: Apache-2.0
public import KopsModel

/// A named set of Kubernetes objects that belong together, such as `kube-dns`.
public struct Addon: Sendable, Equatable {
    /// Unique among a cluster's add-ons.
    public var name: String
    /// Complete objects, each with `apiVersion`, `kind` and `metadata.name`.
    public var objects: [JSONValue]

    /// Makes an add-on from its parts.
    public init(name: String, objects: [JSONValue]) {
        self.name = name
        self.objects = objects
    }

    /// The objects in the order in which each finds what it needs: by kind, and as written within a kind.
    public var orderedObjects: [JSONValue] {
        objects.enumerated()
            .sorted { (KindOrder.rank(of: $0.element), $0.offset) < (KindOrder.rank(of: $1.element), $1.offset) }
            .map(\.element)
    }
}

/// The order in which kinds depend on each other.
enum KindOrder {
    private static let groups: [[String]] = [
        ["Namespace"],
        ["CustomResourceDefinition"],
        ["PriorityClass", "StorageClass", "RuntimeClass", "ResourceQuota", "LimitRange"],
        ["ServiceAccount"],
        ["ClusterRole", "Role"],
        ["ClusterRoleBinding", "RoleBinding"],
        ["ConfigMap"],
        ["Secret"],
        ["PersistentVolume", "PersistentVolumeClaim"],
        ["Service"],
        ["NetworkPolicy", "PodDisruptionBudget", "PodSecurityPolicy"],
        ["DaemonSet", "Deployment", "StatefulSet", "ReplicaSet", "Pod", "Job", "CronJob"],
    ]
    private static let ranks = Dictionary(
        groups.enumerated().flatMap { index, kinds in kinds.map { ($0, index) } },
        uniquingKeysWith: { first, _ in first }
    )

    /// Kinds nobody here knows come last: webhooks, aggregated APIs and custom resources need something that runs.
    static func rank(of object: JSONValue) -> Int { object["kind"]?.string.flatMap { ranks[$0] } ?? groups.count }
}
