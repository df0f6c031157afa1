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
