// SPDX-License-Identifier: Apache-2.0

/// What is agreed of an etcd cluster: who is a member of it, with which data, and what is being done to it.
///
/// One object of the store, changed by compare-and-swap only. It is there from before etcd first starts and for ever:
/// where it is, no new cluster is begun.
///
/// - Shape: JSON, `etcd/<name>/identity.json`.
public struct ClusterRecord: Codable, Sendable, Equatable {
    /// The cluster's DNS name.
    public var clusterName: String
    /// `main` or `events`.
    public var etcdCluster: String
    /// 32 hex digits, random.
    public var id: String
    /// When it was begun, ISO 8601 in UTC by the founder's clock; `nil` in records that do not tell.
    public var begun: String?
    /// Counts what the data descends from: 1 from its beginning, one more with each restored backup.
    public var epoch: Int
    /// The highest lease token that has written here; who holds a lower one has been replaced.
    public var fence: Int
    /// The number of incarnations given out so far; each joining of a member is one.
    public var incarnations: Int
    /// The oldest release of etcd that any voter ran when all were seen to serve; `nil` until then.
    public var release: String?
    /// The members by name.
    public var members: [String: MemberRecord]
    /// The one risky thing under way.
    public var operation: Operation?
    /// The operator's command that was carried out last.
    public var lastCommand: String?

    /// Makes the record of a cluster that one member begins.
    public init(clusterName: String, etcdCluster: String, id: String, founder: String, begun: String? = nil) {
        self.clusterName = clusterName
        self.etcdCluster = etcdCluster
        self.id = id
        self.begun = begun
        epoch = 1
        fence = 0
        incarnations = 1
        members = [founder: MemberRecord(incarnation: 1, state: .founding)]
    }

    /// What members of the cluster tell each other apart from others' by: etcd's initial cluster token.
    public var token: String { "\(id)-\(epoch)" }
    /// The members that have a vote.
    public var voters: [String] { members.filter { $0.value.state == .voter }.keys.sorted() }

    /// The next incarnation.
    mutating func nextIncarnation() -> Int {
        incarnations += 1
        return incarnations
    }
}

/// What is agreed of one member.
public struct MemberRecord: Codable, Sendable, Equatable {
    /// How far a member has come.
    public enum State: String, Codable, Sendable {
        /// It begins the cluster, or the cluster of a restored backup.
        case founding
        /// It is being added, without a vote.
        case joining
        /// It has a vote.
        case voter
    }

    /// Which joining of it this is: data of another one is not this member's.
    public var incarnation: Int
    /// How far it has come.
    public var state: State
    /// etcd's number for it, once etcd has given one.
    public var etcdID: UInt64?
    /// The machine that it joins from: no other one with a volume of its name makes itself ready for it.
    public var machine: String?

    /// Makes a member from its parts.
    public init(incarnation: Int, state: State, etcdID: UInt64? = nil, machine: String? = nil) {
        self.incarnation = incarnation
        self.state = state
        self.etcdID = etcdID
        self.machine = machine
    }
}

/// A risky thing that is done to an etcd cluster; there is one at a time.
public enum Operation: Codable, Sendable, Equatable {
    /// A member is added as a learner and gets its vote once it is in step.
    case join(member: String)
    /// A member is taken out.
    case remove(member: String, etcdID: UInt64)
    /// A member's etcd is started anew, for another release or other settings.
    case restart(member: String)
    /// The cluster is begun anew from a backup, as an operator has commanded.
    case restore(Restore)

    /// How far a restore has come.
    public struct Restore: Codable, Sendable, Equatable {
        /// The command's identifier.
        public var command: String
        /// The backup's name.
        public var backup: String
        /// The members that will not come back as they were, as the operator has stated.
        public var lost: [String]
        /// The member that lays the backup's data; `nil` while the members of before are being stopped.
        public var founder: String?
        /// The epoch that served last: data of a later one comes from an attempt at this restore.
        public var served: Int?

        /// Makes a restore from its parts.
        public init(command: String, backup: String, lost: [String], founder: String? = nil, served: Int? = nil) {
            self.command = command
            self.backup = backup
            self.lost = lost
            self.founder = founder
            self.served = served
        }
    }
}
