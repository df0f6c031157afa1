// SPDX-License-Identifier: Apache-2.0

/// A declared cluster, `kind: Cluster` of kops' API.
public struct Cluster: Sendable, Equatable {
    /// Its name, which is its DNS name, and labels.
    public var metadata: ObjectMeta
    /// What was declared.
    public var spec: ClusterSpec

    /// Makes a cluster from its parts.
    public init(metadata: ObjectMeta, spec: ClusterSpec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// Reads a document such as the one in the store.
    ///
    /// - Throws: ``SpecError`` with everything that is wrong with it.
    public init(document: JSONValue) throws(SpecError) {
        guard case .cluster(let cluster) = try APIObject(document: document) else {
            throw SpecError(subject: "document", problems: [SpecProblem(SpecPath("kind"), "must be \(Self.kind)")])
        }
        self = cluster
    }

    /// The object as it is stored and shown.
    public var document: JSONValue { encoded }
}

extension Cluster: TopLevelObject {
    static var kind: String { "Cluster" }
    init() { self.init(metadata: ObjectMeta(), spec: ClusterSpec()) }
}
