// SPDX-License-Identifier: Apache-2.0
public import NodeOS

/// An alarm a member has raised; etcd takes no writes until it is disarmed, and members answer and elect as if all were well.
public struct EtcdAlarm: Sendable, Equatable {
    /// Who raised it.
    public var memberID: UInt64
    /// `NOSPACE` or `CORRUPT`.
    public var kind: String

    /// Makes an alarm from its parts.
    public init(memberID: UInt64, kind: String) {
        self.memberID = memberID
        self.kind = kind
    }

    /// What a person has to see to.
    ///
    /// - Parameter record: Names the member that has raised it.
    /// - Returns: A permanent failure with the code `etcd-alarm-nospace` or `etcd-alarm-corrupt`.
    public func failure(in record: ClusterRecord) -> Failure {
        let name = record.members.first { $0.value.etcdID == memberID }?.key
        let member = name.map { "member \($0)" } ?? "the member \(String(memberID, radix: 16))"
        return Failure(
            .permanent,
            code: "etcd-alarm-\(kind.lowercased())",
            "\(member) of etcd \(record.clusterName)/\(record.etcdCluster) has raised the alarm \(kind): \(effect)",
            hint: remedy
        )
    }

    private var effect: String {
        switch kind {
        case "NOSPACE": "its database has reached its quota, and etcd takes no more writes"
        case "CORRUPT": "its data is not that of the other members, and etcd answers nobody"
        default: "etcd may take no writes"
        }
    }

    private var remedy: String {
        switch kind {
        case "NOSPACE":
            "find what fills it and delete that; then etcdctl compact to the revision that `etcdctl endpoint status -w json`"
                + " shows, etcdctl defrag of one member after the other, and etcdctl alarm disarm"
        case "CORRUPT":
            "compare the members (etcdctl endpoint hashkv): where only this one differs, let an empty volume replace its own, and"
                + " etcdctl alarm disarm; else restore a backup: kopslite etcd restore"
        default: "see etcd's documentation of it; etcdctl alarm disarm once its cause is gone"
        }
    }
}

extension EtcdGateway {
    /// The alarms that are raised.
    ///
    /// - Throws: ``EtcdError``.
    public func alarms(at endpoint: String) async throws -> [EtcdAlarm] {
        let answer: AlarmsAnswer = try await call("/v3/maintenance/alarm", ["action": "GET"], at: endpoint)
        return answer.alarms?.map(\.alarm) ?? []
    }
}

private struct AlarmsAnswer: Decodable {
    struct Listed: Decodable {
        var alarm: EtcdAlarm

        enum CodingKeys: String, CodingKey {
            case memberID
            case alarm
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            alarm = EtcdAlarm(
                memberID: try container.number(.memberID),
                kind: try container.decodeIfPresent(String.self, forKey: .alarm) ?? "NONE"
            )
        }
    }

    var alarms: [Listed]?
}
