// SPDX-License-Identifier: Apache-2.0

/// Why there is no generation to follow, or none could be published.
public enum GenerationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no head.
    case notPublished(cluster: String)
    /// The head is not what a head looks like.
    case headUnreadable(cluster: String, reason: String)
    /// The head names a generation whose manifest is not there.
    case manifestMissing(cluster: String, generation: Int)
    /// The manifest is not the one the head names, or belongs to another generation.
    case manifestMismatch(cluster: String, generation: Int, expected: String, found: String)
    /// The manifest names no such object.
    case objectUnlisted(name: String, generation: Int)
    /// An object of the manifest is not there.
    case objectMissing(name: String, generation: Int)
    /// An object is not the one the manifest names.
    case objectAltered(name: String, generation: Int, expected: String, found: String)
    /// The store offers an older generation than the one already followed.
    case older(cluster: String, found: Int, required: Int)
    /// Somebody else published in between.
    case raced(cluster: String, expected: String, found: String)

    /// A stable identifier in kebab case.
    public var code: String {
        switch self {
        case .notPublished: "generation-not-published"
        case .headUnreadable: "generation-head-unreadable"
        case .manifestMissing: "generation-manifest-missing"
        case .manifestMismatch: "generation-manifest-mismatch"
        case .objectUnlisted: "generation-object-unlisted"
        case .objectMissing: "generation-object-missing"
        case .objectAltered: "generation-object-altered"
        case .older: "generation-older"
        case .raced: "generation-raced"
        }
    }

    /// The remedy, where it is known.
    public var hint: String? {
        switch self {
        case .notPublished(let cluster), .headUnreadable(let cluster, _), .manifestMissing(let cluster, _),
            .manifestMismatch(let cluster, _, _, _):
            "run kopslite update cluster \(cluster) --yes"
        case .objectMissing, .objectAltered:
            "the object was changed behind kopslite's back; publish again with kopslite update cluster NAME --yes"
        case .objectUnlisted: "publish again with this version of kopslite"
        case .older: "somebody put back an old head; publish again with kopslite update cluster NAME --yes"
        case .raced: "look at what was published, then run the command again"
        }
    }

    /// One line for a person, without the remedy.
    public var description: String {
        switch self {
        case .notPublished(let cluster): "cluster \(cluster) has no published generation"
        case .headUnreadable(let cluster, let reason): "the head of cluster \(cluster) cannot be read: \(reason)"
        case .manifestMissing(let cluster, let generation):
            "generation \(generation) of cluster \(cluster) has no manifest although the head names it"
        case .manifestMismatch(let cluster, let generation, let expected, let found):
            "the manifest of generation \(generation) of cluster \(cluster) is not the one the head names: "
                + "expected \(expected), found \(found)"
        case .objectUnlisted(let name, let generation): "generation \(generation) has no object \(name)"
        case .objectMissing(let name, let generation):
            "object \(name) of generation \(generation) is missing although the manifest names it"
        case .objectAltered(let name, let generation, let expected, let found):
            "object \(name) of generation \(generation) was altered: expected sha256 \(expected), found \(found)"
        case .older(let cluster, let found, let required):
            "cluster \(cluster) offers generation \(found), older than generation \(required) that is already followed"
        case .raced(let cluster, let expected, let found):
            "cluster \(cluster) was published by somebody else: expected \(expected), found \(found)"
        }
    }
}
