// SPDX-License-Identifier: Apache-2.0

/// What a leader sees of its cluster at one time: the record, what etcd says, and what the machines say.
public struct MembershipView: Sendable, Equatable {
    /// What is agreed.
    public var record: ClusterRecord
    /// What members answered, by name; members that did not are not in it.
    public var statuses: [String: EtcdStatus]
    /// The members by etcd's own account; `nil` when no member could give one.
    public var listed: [EtcdMember]?
    /// Where peers reach a member, by name.
    public var peerURLs: [String: String]
    /// The release that members are declared to run.
    public var release: String?
    /// What the machines report, by member; also of members that are not in the record yet.
    public var reports: [String: MemberReport]
    /// The members that have given nothing to a quorum for a while (``StallWatch``): ending their etcd takes nothing away.
    public var stalled: Set<String> = []

    /// Makes a view from its parts.
    public init(
        record: ClusterRecord,
        peerURLs: [String: String] = [:],
        release: String? = nil,
        statuses: [String: EtcdStatus] = [:],
        listed: [EtcdMember]? = nil,
        reports: [String: MemberReport] = [:]
    ) {
        self.record = record
        self.peerURLs = peerURLs
        self.release = release
        self.statuses = statuses
        self.listed = listed
        self.reports = reports
    }

    /// Whether a member serves: it answers as the member it should be, and sees a leader.
    public func isHealthy(_ member: String) -> Bool {
        guard let found = record.members[member], let status = statuses[member] else { return false }
        return status.leader != 0 && (found.etcdID == nil || status.memberID == found.etcdID)
    }

    /// Whether a member's machine is there to take its turn: it answers, or nobody does and it has been so for a while.
    func isReached(_ member: String) -> Bool {
        statuses[member] != nil || healthyVoters.isEmpty && stalled.contains(member)
    }

    /// Whether a member's etcd gives nothing to a quorum now, as far as can be seen: it knows no leader, or nobody serves.
    func givesNothing(_ member: String) -> Bool {
        statuses[member].map { $0.leader == 0 } ?? healthyVoters.isEmpty
    }

    /// The voters that serve.
    public var healthyVoters: [String] { record.voters.filter(isHealthy) }

    /// How many of a number of voters must agree.
    public static func quorum(of voters: Int) -> Int { voters / 2 + 1 }

    /// Whether the others alone are a quorum while a member pauses.
    public func hasQuorum(without member: String) -> Bool {
        healthyVoters.filter { $0 != member }.count >= Self.quorum(of: record.voters.count)
    }

    /// Whether those that remain are a quorum of themselves once a member is out.
    public func hasQuorum(afterRemoving member: String) -> Bool {
        let remaining = record.voters.filter { $0 != member }
        return !remaining.isEmpty
            && healthyVoters.filter { $0 != member }.count >= Self.quorum(of: remaining.count)
    }

    /// Whether there is a quorum still once a learner that serves has its vote.
    public func hasQuorum(afterPromoting member: String) -> Bool {
        isHealthy(member) && healthyVoters.count + 1 >= Self.quorum(of: record.voters.count + 1)
    }

    /// A member's place in etcd's own list.
    public func listing(of member: String) -> EtcdMember? {
        guard let listed, let found = record.members[member] else { return nil }
        if let id = found.etcdID { return listed.first { $0.id == id } }
        return listed.first { $0.peerURLs == [peerURLs[member]] }
    }

    /// The member to ask: etcd's own leader, whose account of the members is behind nobody's.
    public var endpoint: String? {
        // It need not be recorded as a voter yet: a promotion may have been the last that was heard of.
        record.members.keys.sorted()
            .first { name in isHealthy(name) && statuses[name].map { $0.leader == $0.memberID } == true }
            .flatMap { reports[$0]?.clientURL }
    }

    /// Of the members that answer, with a quorum or without, the one that has come furthest.
    var furthest: String? {
        statuses.filter { !$0.value.isLearner }
            .max { ($0.value.raftAppliedIndex, $1.key) < ($1.value.raftAppliedIndex, $0.key) }
            .flatMap { reports[$0.key]?.clientURL }
    }

    /// Learners that the record knows nothing of: what a leader has added whose word of it was lost.
    public var strays: [EtcdMember] {
        let known = Set(record.members.values.compactMap(\.etcdID))
        return (listed ?? []).filter { $0.isLearner && !known.contains($0.id) }
    }
}
