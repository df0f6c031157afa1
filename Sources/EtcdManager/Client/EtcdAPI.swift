// SPDX-License-Identifier: Apache-2.0

/// What the manager asks of running etcd members; each call names the member that is asked by its client URL.
///
/// Identifiers are etcd's own 64-bit numbers; people see them as etcd prints them, in hexadecimal.
///
/// - Source: etcd v3.4 `etcdserverpb/rpc.proto`.
public protocol EtcdAPI: Sendable {
    /// What a member says of itself; answered also without a quorum.
    ///
    /// - Throws: ``EtcdError``.
    func status(of endpoint: String) async throws -> EtcdStatus
    /// What several members say of themselves, by the URLs they were asked at; who does not answer is left out, and costs
    /// the others no time.
    func statuses(of endpoints: [String]) async -> [String: EtcdStatus]
    /// The members of the cluster, agreed on by a quorum.
    ///
    /// - Throws: ``EtcdError``.
    func members(at endpoint: String) async throws -> EtcdMembers
    /// Adds a member without a vote.
    ///
    /// - Throws: ``EtcdError``; `.rejected` where there is a learner already or the URL is a member's.
    func addLearner(peerURL: String, at endpoint: String) async throws -> EtcdMember
    /// Gives a learner its vote.
    ///
    /// - Throws: ``EtcdError``; `.rejected` while it is not in step with the leader.
    func promote(_ id: UInt64, at endpoint: String) async throws
    /// Takes a member out, voter or learner.
    ///
    /// - Throws: ``EtcdError``; `.rejected` where the rest would have no quorum.
    func remove(_ id: UInt64, at endpoint: String) async throws
}

extension EtcdAPI {
    /// What several members say of themselves, all asked at once.
    public func statuses(of endpoints: [String]) async -> [String: EtcdStatus] {
        await withTaskGroup(of: AskedMember.self) { group in
            for endpoint in endpoints {
                group.addTask { AskedMember(endpoint: endpoint, status: try? await status(of: endpoint)) }
            }
            var statuses: [String: EtcdStatus] = [:]
            for await asked in group { statuses[asked.endpoint] = asked.status }
            return statuses
        }
    }
}

/// A member that was asked, and what it said.
private struct AskedMember: Sendable {
    var endpoint: String
    var status: EtcdStatus?
}

/// What a member says of itself.
public struct EtcdStatus: Sendable, Equatable {
    /// The release it runs, such as `3.4.23`.
    public var version: String
    /// Which cluster it belongs to.
    public var clusterID: UInt64
    /// Which member it is.
    public var memberID: UInt64
    /// Who leads; 0: nobody, so there is no quorum that it sees.
    public var leader: UInt64
    /// The newest revision of its data.
    public var revision: Int64
    /// How far its log reaches.
    public var raftIndex: UInt64
    /// How far its log is applied.
    public var raftAppliedIndex: UInt64
    /// The size of its database file in bytes.
    public var databaseSize: Int64
    /// Whether it has no vote yet.
    public var isLearner: Bool

    /// Makes a status from its parts.
    public init(
        version: String,
        clusterID: UInt64,
        memberID: UInt64,
        leader: UInt64,
        revision: Int64,
        raftIndex: UInt64,
        raftAppliedIndex: UInt64,
        databaseSize: Int64 = 0,
        isLearner: Bool = false
    ) {
        self.version = version
        self.clusterID = clusterID
        self.memberID = memberID
        self.leader = leader
        self.revision = revision
        self.raftIndex = raftIndex
        self.raftAppliedIndex = raftAppliedIndex
        self.databaseSize = databaseSize
        self.isLearner = isLearner
    }
}

/// A member as the cluster lists it.
public struct EtcdMember: Sendable, Equatable {
    /// etcd's own number for it; another one each time it is added.
    public var id: UInt64
    /// Its name; empty until it has started for the first time.
    public var name: String
    /// Where its peers reach it.
    public var peerURLs: [String]
    /// Where clients reach it; empty until it has started for the first time.
    public var clientURLs: [String]
    /// Whether it has no vote yet.
    public var isLearner: Bool

    /// Makes a member from its parts.
    public init(id: UInt64, name: String, peerURLs: [String], clientURLs: [String], isLearner: Bool) {
        self.id = id
        self.name = name
        self.peerURLs = peerURLs
        self.clientURLs = clientURLs
        self.isLearner = isLearner
    }
}

/// The members of a cluster.
public struct EtcdMembers: Sendable, Equatable {
    /// Which cluster.
    public var clusterID: UInt64
    /// Every member, voters and learners.
    public var members: [EtcdMember]

    /// Makes a list from its parts.
    public init(clusterID: UInt64, members: [EtcdMember]) {
        self.clusterID = clusterID
        self.members = members
    }
}

/// Why a call to etcd did not do what was asked.
public enum EtcdError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No answer, or none in time. What was asked may have happened all the same.
    case unreachable(endpoint: String, reason: String)
    /// etcd says no, in its own words; nothing has happened.
    case rejected(endpoint: String, reason: String)
    /// An answer that is none of etcd's.
    case malformed(endpoint: String, reason: String)

    /// One line for a person.
    public var description: String {
        switch self {
        case .unreachable(let endpoint, let reason): "etcd at \(endpoint) does not answer: \(reason)"
        case .rejected(let endpoint, let reason): "etcd at \(endpoint) refuses: \(reason)"
        case .malformed(let endpoint, let reason): "etcd at \(endpoint) answers with something else: \(reason)"
        }
    }
}
