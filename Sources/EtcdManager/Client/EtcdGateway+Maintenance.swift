// SPDX-License-Identifier: Apache-2.0
import Fetch

/// Whether a member serves, in its own words.
public struct EtcdHealth: Sendable, Equatable {
    /// Whether it takes part in a quorum and no alarm is raised.
    public var isHealthy: Bool
    /// Why not; from 3.5 on, empty before.
    public var reason: String

    /// Makes a verdict from its parts.
    public init(isHealthy: Bool, reason: String = "") {
        self.isHealthy = isHealthy
        self.reason = reason
    }
}

/// A digest of a member's keys and their history.
public struct EtcdHash: Sendable, Equatable {
    /// The digest; members in step have equal ones where the next number is equal too.
    public var hash: UInt32
    /// From where on there is history; -1: from the beginning.
    public var compactRevision: Int64

    /// Makes a digest from its parts.
    public init(hash: UInt32, compactRevision: Int64) {
        self.hash = hash
        self.compactRevision = compactRevision
    }
}

/// An alarm a member has raised; etcd takes no writes until it is disarmed.
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
}

extension EtcdGateway {
    /// Whether a member serves: `GET /health`, which takes a quorum.
    ///
    /// - Throws: ``EtcdError``.
    public func health(of endpoint: String) async throws -> EtcdHealth {
        let response = try await send("GET", "/health", at: endpoint)
        // 503 carries the same words as 200.
        let answer: HealthAnswer = try Self.decode(response.body, at: endpoint)
        return EtcdHealth(isHealthy: answer.health == "true", reason: answer.reason ?? "")
    }

    /// A digest of a member's keys up to a revision, 0 for now, asked at its peer URL.
    ///
    /// Peers ask each other this way in every release, while the gateway has it from 3.5.16 on only.
    ///
    /// - Throws: ``EtcdError``; 3.4 hangs up instead of saying that a revision is compacted, which is `.unreachable`.
    public func hashKV(revision: Int64 = 0, atPeer peerURL: String) async throws -> EtcdHash {
        // The one request of etcd's that takes its numbers as numbers.
        let body = Array(#"{"revision":\#(revision)}"#.utf8)
        let response = try await send("GET", "/members/hashkv", body: body, at: peerURL, timeouts: slow, isPeer: true)
        guard response.status == 200 else {
            let reason = String(decoding: response.body.prefix(200).prefix { $0 != 0x0A }, as: UTF8.self)
            throw response.status == 400
                ? EtcdError.rejected(endpoint: peerURL, reason: reason)
                : EtcdError.malformed(endpoint: peerURL, reason: "HTTP \(response.status) \(reason)")
        }
        let answer: HashAnswer = try Self.decode(response.body, at: peerURL)
        return EtcdHash(hash: answer.hash, compactRevision: answer.compactRevision)
    }

    /// The alarms that are raised.
    ///
    /// - Throws: ``EtcdError``.
    public func alarms(at endpoint: String) async throws -> [EtcdAlarm] {
        let request = AlarmRequest(action: "GET", memberID: nil, alarm: nil)
        let answer: AlarmsAnswer = try await call("/v3/maintenance/alarm", request, at: endpoint)
        return answer.alarms?.map(\.alarm) ?? []
    }

    /// Takes an alarm back; its cause has to be gone.
    ///
    /// - Throws: ``EtcdError``.
    public func disarm(_ alarm: EtcdAlarm, at endpoint: String) async throws {
        let request = AlarmRequest(
            action: "DEACTIVATE",
            memberID: GatewayNumber(alarm.memberID),
            alarm: alarm.kind
        )
        let _: GatewayNothing = try await call("/v3/maintenance/alarm", request, at: endpoint)
    }

    /// Gives the space of what was deleted back to the file system; the member serves nobody meanwhile.
    ///
    /// - Throws: ``EtcdError``.
    public func defragment(_ endpoint: String) async throws {
        let _: GatewayNothing = try await call(
            "/v3/maintenance/defragment",
            GatewayNothing(),
            at: endpoint,
            timeouts: slow
        )
    }

    /// Limits of what reads or writes a whole database: some seconds a gigabyte.
    private var slow: Timeouts { Timeouts(connect: timeouts.connect, total: .seconds(120), stall: .seconds(120)) }
}

private struct HealthAnswer: Decodable {
    var health: String
    var reason: String?
}

private struct HashAnswer: Decodable {
    var hash: UInt32
    var compactRevision: Int64

    enum CodingKeys: String, CodingKey {
        case hash
        case compactRevision = "compact_revision"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        hash = try container.number(.hash)
        compactRevision = try container.number(.compactRevision)
    }
}

private struct AlarmRequest: Encodable {
    var action: String
    var memberID: GatewayNumber<UInt64>?
    var alarm: String?
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
