// SPDX-License-Identifier: Apache-2.0

/// What every object of the API carries beside its specification.
public struct ObjectMeta: Sendable, Equatable {
    /// The object's name; a cluster's is its DNS name.
    public var name: String = ""
    /// Labels; an instance group names its cluster with ``clusterLabel``.
    public var labels: [String: String] = [:]
    /// Notes without meaning here, kept as they are.
    public var annotations: [String: String] = [:]
    /// When kops made the object; kept as it is.
    public var creationTimestamp: String?
    /// How often kops changed the object; kept as it is.
    public var generation: Int?
    /// Which state of the object a person looks at.
    ///
    /// `get` shows it, and `replace` replaces that state only. It is never stored.
    public var resourceVersion: String?

    /// The label that says which cluster an object belongs to.
    public static let clusterLabel = "kops.k8s.io/cluster"

    /// Makes the least an object needs.
    public init(name: String = "", labels: [String: String] = [:]) {
        self.name = name
        self.labels = labels
    }

    /// The cluster the object says it belongs to.
    public var cluster: String? { labels[Self.clusterLabel] }
}

extension ObjectMeta: SpecObject {
    init() { self.init(name: "") }

    mutating func walk(_ fields: inout FieldWalker) {
        fields.field("annotations", &annotations)
        fields.field("creationTimestamp", &creationTimestamp)
        fields.field("generation", &generation)
        fields.field("labels", &labels)
        fields.required("name", &name, remedy: "every object needs a name")
        fields.field("resourceVersion", &resourceVersion)
    }
}
