// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// What the store says of an etcd cluster.
public enum IdentityRecord: Sendable, Equatable {
    /// There is none: no etcd cluster was ever begun.
    case absent
    /// This one was begun.
    case present(EtcdIdentity)
    /// The store cannot be read now.
    case unknown(reason: String)
}

/// What to do with a volume, decided from what it holds and what the store says.
///
/// The rule behind all of it: data is never silently replaced by nothing. Only a store that says for certain that no
/// etcd cluster was begun allows an empty one; a volume that has served this cluster may run without the store.
public enum IdentityDecision: Sendable, Equatable {
    /// Begin a cluster: write a new identity on the volume, then record it.
    case begin
    /// The volume's identity is not recorded yet: record it, then go on.
    case record
    /// Go on with the volume's data.
    case proceed
    /// Go on although the store cannot be read.
    case proceedUnrecorded(reason: String)

    /// Whether a blank device may be formatted.
    ///
    /// - Throws: ``Failure`` `etcd-data-missing` (permanent) when the store knows a cluster, `store-unreadable`
    ///   (transient) when it cannot say.
    public static func mayFormat(_ volume: String, cluster: String, record: IdentityRecord) throws {
        switch record {
        case .absent: return
        case .present(let identity): throw dataMissing("\(volume) holds no file system", cluster: cluster, identity)
        case .unknown(let reason): throw undecided("\(volume) holds no file system", reason)
        }
    }

    /// Decides for a mounted volume.
    ///
    /// - Throws: ``Failure`` `etcd-identity-mismatch` or `etcd-data-missing` (permanent), `store-unreadable` (transient).
    public static func make(
        volume: String,
        identity: EtcdIdentity?,
        hasData: Bool,
        wanted: (clusterName: String, etcdCluster: String),
        record: IdentityRecord
    ) throws -> IdentityDecision {
        let cluster = "\(wanted.clusterName)/\(wanted.etcdCluster)"
        guard let identity else {
            if hasData { throw mismatch("\(volume) holds etcd data of an unknown cluster, not of \(cluster)") }
            switch record {
            case .absent: return .begin
            case .present(let recorded): throw dataMissing("\(volume) is empty", cluster: cluster, recorded)
            case .unknown(let reason): throw undecided("\(volume) is empty", reason)
            }
        }
        guard identity.clusterName == wanted.clusterName, identity.etcdCluster == wanted.etcdCluster else {
            throw mismatch("\(volume) holds etcd \(identity.clusterName)/\(identity.etcdCluster), not \(cluster)")
        }
        if case .present(let recorded) = record, !recorded.isSame(as: identity) {
            throw mismatch(
                "\(volume) holds etcd \(cluster) with identity \(identity.id), where the state store records"
                    + " \(recorded.id)"
            )
        }
        let served = identity.initialised ?? true
        if served, !hasData { throw dataMissing("\(volume) lost its data directory", cluster: cluster, identity) }
        switch record {
        case .present: return .proceed
        case .absent: return .record
        case .unknown(let reason):
            guard served else { throw undecided("\(volume) has not served yet", reason) }
            return .proceedUnrecorded(reason: reason)
        }
    }

    private static func mismatch(_ found: String) -> Failure {
        Failure(
            .permanent,
            code: "etcd-identity-mismatch",
            found,
            hint: "attach the volume that holds this cluster's etcd; the identity is in etcd/ below the cluster's"
                + " prefix in the state store"
        )
    }

    private static func dataMissing(_ found: String, cluster: String, _ identity: EtcdIdentity) -> Failure {
        Failure(
            .permanent,
            code: "etcd-data-missing",
            "\(found), but etcd \(cluster) (\(identity.id)) has existed; starting it empty would lose its data",
            hint: "attach the volume that holds it; if that is lost for good, restore a backup or remove the cluster's"
                + " etcd/\(identity.etcdCluster)/identity.json from the state store to begin anew"
        )
    }

    private static func undecided(_ found: String, _ reason: String) -> Failure {
        Failure(
            .transient,
            code: "store-unreadable",
            "\(found), and whether etcd data existed cannot be known: the state store cannot be read: \(reason)",
            hint: "make the state store readable from this machine"
        )
    }
}
