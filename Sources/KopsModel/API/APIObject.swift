// SPDX-License-Identifier: Apache-2.0

/// An object a person may declare.
public enum APIObject: Sendable, Equatable {
    /// A cluster.
    case cluster(Cluster)
    /// A set of equal machines.
    case instanceGroup(InstanceGroup)
    /// A public key for logging in.
    case sshCredential(SSHCredential)

    /// The API versions that are read; the first one is written.
    public static let versions = ["kops.k8s.io/v1alpha2", "kops/v1alpha2"]

    /// Reads a document.
    ///
    /// - Throws: ``SpecError`` with everything that is not understood or not supported.
    public init(document: JSONValue) throws(SpecError) {
        guard case .object = document else {
            throw SpecError(
                subject: "document",
                problems: [SpecProblem(SpecPath(), "must be a map with apiVersion, kind, metadata and spec")]
            )
        }
        let kind = document["kind"]?.string ?? ""
        let subject = "\(kind.isEmpty ? "object" : kind) \(document["metadata"]?["name"]?.string ?? "without a name")"
        var problems: [SpecProblem] = []
        let object = Self.decoded(document, kind: kind, into: &problems)
        guard let object, problems.isEmpty else { throw SpecError(subject: subject, problems: problems) }
        self = object
    }

    private static func decoded(_ document: JSONValue, kind: String, into problems: inout [SpecProblem]) -> Self? {
        switch kind {
        case Cluster.kind: Cluster.decoded(from: document, at: SpecPath(), into: &problems).map(Self.cluster)
        case InstanceGroup.kind:
            InstanceGroup.decoded(from: document, at: SpecPath(), into: &problems).map(Self.instanceGroup)
        case SSHCredential.kind:
            SSHCredential.decoded(from: document, at: SpecPath(), into: &problems).map(Self.sshCredential)
        default: refuse(kind, into: &problems)
        }
    }

    private static func refuse(_ kind: String, into problems: inout [SpecProblem]) -> Self? {
        let kinds = "use Cluster, InstanceGroup or SSHCredential"
        let message = kind.isEmpty ? "is missing" : "\"\(kind)\" is not supported"
        problems.append(SpecProblem(SpecPath("kind"), message, remedy: kinds))
        return nil
    }

    /// The object as it is stored and shown, with apiVersion and kind.
    public var document: JSONValue {
        switch self {
        case .cluster(let object): object.encoded
        case .instanceGroup(let object): object.encoded
        case .sshCredential(let object): object.encoded
        }
    }

    /// The object's metadata.
    public var metadata: ObjectMeta {
        get {
            switch self {
            case .cluster(let object): object.metadata
            case .instanceGroup(let object): object.metadata
            case .sshCredential(let object): object.metadata
            }
        }
        set {
            switch self {
            case .cluster(var object):
                object.metadata = newValue
                self = .cluster(object)
            case .instanceGroup(var object):
                object.metadata = newValue
                self = .instanceGroup(object)
            case .sshCredential(var object):
                object.metadata = newValue
                self = .sshCredential(object)
            }
        }
    }

    /// The cluster the object belongs to; `nil` when it does not say.
    public var clusterName: String? {
        if case .cluster(let cluster) = self { return cluster.metadata.name }
        return metadata.cluster
    }

    /// The object as messages name it, such as `instancegroup/nodes`.
    public var reference: String {
        switch self {
        case .cluster: "cluster/\(metadata.name)"
        case .instanceGroup: "instancegroup/\(metadata.name)"
        case .sshCredential: "sshcredential/\(metadata.name)"
        }
    }
}

/// An object with the API's four top-level members.
protocol TopLevelObject: SpecObject {
    associatedtype Spec: SpecObject
    static var kind: String { get }
    var metadata: ObjectMeta { get set }
    var spec: Spec { get set }
}

extension TopLevelObject {
    mutating func walk(_ fields: inout FieldWalker) {
        var version = APIVersion()
        var kind = Self.kind
        fields.required("apiVersion", &version, remedy: "write \(APIObject.versions[0])")
        fields.required("kind", &kind)
        fields.required("metadata", &metadata)
        fields.required("spec", &spec)
    }
}

/// The text of `apiVersion`; whatever was read, the first supported version is written.
private struct APIVersion: SpecText {
    static var shape: String { "an API version that kopslite reads: \(APIObject.versions.joined(separator: ", "))" }
    var description: String { APIObject.versions[0] }

    init() {}
    init?(_ text: String) {
        guard APIObject.versions.contains(text) else { return nil }
    }
}
