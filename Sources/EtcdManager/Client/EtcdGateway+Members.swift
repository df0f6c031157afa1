// SPDX-License-Identifier: Apache-2.0

extension EtcdGateway {
    /// What a member says of itself; answered also without a quorum, and by a learner.
    ///
    /// - Throws: ``EtcdError``.
    public func status(of endpoint: String) async throws -> EtcdStatus {
        let answer: StatusAnswer = try await call("/v3/maintenance/status", GatewayNothing(), at: endpoint)
        return answer.status
    }

    /// The members of the cluster, agreed on by a quorum.
    ///
    /// 3.4 lists what the member that is asked has heard of, and later releases do so by default. A read that a quorum
    /// agreed on comes first and makes that member catch up, the same in every release.
    ///
    /// - Throws: ``EtcdError``.
    public func members(at endpoint: String) async throws -> EtcdMembers {
        _ = try await range(EtcdRange(key: [0], isCountOnly: true), at: endpoint)
        let answer: MembersAnswer = try await call("/v3/cluster/member/list", GatewayNothing(), at: endpoint)
        return EtcdMembers(clusterID: answer.header.clusterID, members: answer.members.map(\.member))
    }

    /// Adds a member without a vote.
    ///
    /// - Throws: ``EtcdError``; `.rejected` where there is a learner already or the URL is a member's.
    public func addLearner(peerURL: String, at endpoint: String) async throws -> EtcdMember {
        let answer: MemberAnswer = try await call(
            "/v3/cluster/member/add",
            MemberRequest(peerURLs: [peerURL], isLearner: true),
            at: endpoint
        )
        return answer.member.member
    }

    /// Gives a learner its vote.
    ///
    /// - Throws: ``EtcdError``; `.rejected` while it is not in step with the leader.
    public func promote(_ id: UInt64, at endpoint: String) async throws {
        let _: GatewayNothing = try await call("/v3/cluster/member/promote", MemberRequest(id: id), at: endpoint)
    }

    /// Takes a member out, voter or learner.
    ///
    /// - Throws: ``EtcdError``; `.rejected` where the rest would have no quorum.
    public func remove(_ id: UInt64, at endpoint: String) async throws {
        let _: GatewayNothing = try await call("/v3/cluster/member/remove", MemberRequest(id: id), at: endpoint)
    }
}

private struct MemberRequest: Encodable {
    var id: GatewayNumber<UInt64>?
    var peerURLs: [String]?
    var isLearner: Bool?

    enum CodingKeys: String, CodingKey {
        case id = "ID"
        case peerURLs
        case isLearner
    }

    init(id: UInt64? = nil, peerURLs: [String]? = nil, isLearner: Bool? = nil) {
        self.id = id.map { GatewayNumber($0) }
        self.peerURLs = peerURLs
        self.isLearner = isLearner
    }
}

private struct MemberAnswer: Decodable {
    var member: ListedMember
}

private struct MembersAnswer: Decodable {
    var header: GatewayHeader
    var members: [ListedMember]
}

private struct ListedMember: Decodable {
    var member: EtcdMember

    enum CodingKeys: String, CodingKey {
        case id = "ID"
        case name
        case peerURLs
        case clientURLs
        case isLearner
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        member = EtcdMember(
            id: try container.number(.id),
            name: try container.decodeIfPresent(String.self, forKey: .name) ?? "",
            peerURLs: try container.decodeIfPresent([String].self, forKey: .peerURLs) ?? [],
            clientURLs: try container.decodeIfPresent([String].self, forKey: .clientURLs) ?? [],
            isLearner: try container.decodeIfPresent(Bool.self, forKey: .isLearner) ?? false
        )
    }
}

private struct StatusAnswer: Decodable {
    var status: EtcdStatus

    enum CodingKeys: String, CodingKey {
        case header
        case version
        case leader
        case raftIndex
        case raftAppliedIndex
        case databaseSize = "dbSize"
        case isLearner
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let header = try container.decode(GatewayHeader.self, forKey: .header)
        status = EtcdStatus(
            version: try container.decode(String.self, forKey: .version),
            clusterID: header.clusterID,
            memberID: header.memberID,
            leader: try container.number(.leader),
            revision: header.revision,
            raftIndex: try container.number(.raftIndex),
            raftAppliedIndex: try container.number(.raftAppliedIndex),
            databaseSize: try container.number(.databaseSize),
            isLearner: try container.decodeIfPresent(Bool.self, forKey: .isLearner) ?? false
        )
    }
}
