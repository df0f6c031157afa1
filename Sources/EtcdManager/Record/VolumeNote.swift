// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import StateStore

/// Whose data a volume holds, on the volume itself, beside the data.
///
/// - Shape: JSON, `identity.json`.
public struct VolumeNote: Codable, Sendable, Equatable {
    /// The cluster's DNS name.
    public var clusterName: String
    /// `main` or `events`.
    public var etcdCluster: String
    /// The record's `id`.
    public var id: String
    /// The record's epoch when the data was begun.
    public var epoch: Int
    /// The member's name.
    public var member: String
    /// The member's incarnation.
    public var incarnation: Int
    /// Whether etcd has answered from this data once; data that is gone afterwards is lost.
    public var initialised: Bool
    /// Whether it was the only member when that was last known, and so owes nobody an agreement before it starts.
    public var alone: Bool
    /// The releases of etcd that the data may be of, noted before it is given to one; `nil`: none is known of.
    public var releases: ReleaseRange?

    /// Makes a note from its parts.
    public init(
        clusterName: String,
        etcdCluster: String,
        id: String,
        epoch: Int,
        member: String,
        incarnation: Int,
        initialised: Bool = false,
        alone: Bool = false,
        releases: ReleaseRange? = nil
    ) {
        self.clusterName = clusterName
        self.etcdCluster = etcdCluster
        self.id = id
        self.epoch = epoch
        self.member = member
        self.incarnation = incarnation
        self.initialised = initialised
        self.alone = alone
        self.releases = releases
    }

    /// The note of a member that has no data yet.
    init(of member: String, in record: ClusterRecord, _ found: MemberRecord) {
        self.init(
            clusterName: record.clusterName,
            etcdCluster: record.etcdCluster,
            id: record.id,
            epoch: record.epoch,
            member: member,
            incarnation: found.incarnation,
            alone: record.members.count == 1
        )
    }

    /// Whether the data is what the record means by a member.
    public func isOf(_ member: String, in record: ClusterRecord) -> Bool {
        guard let found = record.members[member] else { return false }
        return self.member == member && isOf(record) && epoch == record.epoch && incarnation == found.incarnation
    }

    /// Whether the data is of the record's cluster, of whatever member and age.
    public func isOf(_ record: ClusterRecord) -> Bool {
        clusterName == record.clusterName && etcdCluster == record.etcdCluster && id == record.id
    }

    /// JSON with sorted names.
    public func encoded() throws -> [UInt8] { try encodeForStore(self) }

    /// Reads a note back.
    ///
    /// - Throws: `DecodingError` when the bytes are none.
    public init(decoding bytes: [UInt8]) throws {
        self = try JSONDecoder().decode(VolumeNote.self, from: Data(bytes))
    }
}
