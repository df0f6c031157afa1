// SPDX-License-Identifier: Apache-2.0

/// Why there is no generation to follow, or none could be published.
public enum GenerationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no head.
    case notPublished(cluster: String)
    /// The head is not what a head looks like.
    case headUnreadable(cluster: String, reason: String)
    /// A newer kopslite wrote it.
    case newer(cluster: String, format: Int)
    /// The head belongs to another cluster.
    case foreign(cluster: String, found: String)
    /// Nobody has signed the head.
    case unsigned(cluster: String, generation: Int)
    /// Only keys that are not trusted have signed the head.
    case untrusted(cluster: String, signers: [String], trusted: [String])
    /// A trusted key's signature does not fit.
    case forged(cluster: String, generation: Int, key: String)
    /// The keys that have signed the head are believed no more.
    case keyExpired(cluster: String, key: String, notAfter: String)
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
    /// The store offers another generation under the number of the one already followed.
    case forked(cluster: String, generation: Int)
    /// Somebody else published in between.
    case raced(cluster: String, expected: String, found: String)

    /// A stable identifier in kebab case.
    public var code: String {
        switch self {
        case .notPublished: "generation-not-published"
        case .headUnreadable: "generation-head-unreadable"
        case .newer: "generation-newer"
        case .foreign: "generation-foreign"
        case .unsigned: "generation-unsigned"
        case .untrusted: "generation-untrusted"
        case .forged: "generation-forged"
        case .keyExpired: "generation-key-expired"
        case .manifestMissing: "generation-manifest-missing"
        case .manifestMismatch: "generation-manifest-mismatch"
        case .objectUnlisted: "generation-object-unlisted"
        case .objectMissing: "generation-object-missing"
        case .objectAltered: "generation-object-altered"
        case .older: "generation-older"
        case .forked: "generation-forked"
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
        case .newer: "use the kopslite and nodeup of the release that wrote it"
        case .foreign, .unsigned, .forged, .forked:
            "somebody changed the head behind kopslite's back: find out who may write to the store, then publish again with"
                + " kopslite update cluster NAME --yes"
        case .untrusted(let cluster, _, _):
            "a machine from before the key was changed must be made anew; if nobody changed it, find out who may write to the"
                + " store, then publish again with kopslite update cluster \(cluster) --yes"
        case .keyExpired(let cluster, _, _):
            "make the next key with kopslite create keypair signing --name \(cluster), then kopslite update cluster"
                + " \(cluster) --yes; machines that trust only the old one must be made anew"
        case .older: "somebody put back an old head; publish again with kopslite update cluster NAME --yes"
        case .raced: "look at what was published, then run the command again"
        }
    }

    /// One line for a person, without the remedy.
    public var description: String {
        switch self {
        case .notPublished(let cluster): "cluster \(cluster) has no published generation"
        case .headUnreadable(let cluster, let reason): "the head of cluster \(cluster) cannot be read: \(reason)"
        case .newer(let cluster, let format):
            "cluster \(cluster) is in a format (\(format)) that is newer than this program's"
                + " (\(GenerationHead.currentFormat))"
        case .foreign(let cluster, let found): "the head of cluster \(cluster) is that of cluster \(found)"
        case .unsigned(let cluster, let generation):
            "the head of cluster \(cluster), which names generation \(generation), is not signed"
        case .untrusted(let cluster, let signers, let trusted):
            "the head of cluster \(cluster) is signed by \(signers.joined(separator: ", ")), trusted is"
                + " \(trusted.isEmpty ? "no key" : trusted.joined(separator: ", "))"
        case .forged(let cluster, let generation, let key):
            "the head of cluster \(cluster), which names generation \(generation), does not fit its signature by key \(key)"
        case .keyExpired(let cluster, let key, let notAfter):
            "the head of cluster \(cluster) is signed by key \(key), which was valid until \(notAfter)"
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
        case .forked(let cluster, let generation):
            "cluster \(cluster) offers another generation \(generation) than the one that is already followed"
        case .raced(let cluster, let expected, let found):
            "cluster \(cluster) was published by somebody else: expected \(expected), found \(found)"
        }
    }
}
