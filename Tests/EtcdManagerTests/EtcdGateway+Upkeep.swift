// SPDX-License-Identifier: Apache-2.0
import Fetch

@testable import EtcdManager

/// What tests do to members, and only people do in earnest.
extension EtcdGateway {
    private struct Health: Decodable { var health: String }

    private struct Disarming: Encodable {
        var action = "DEACTIVATE"
        var memberID: GatewayNumber<UInt64>
        var alarm: String
    }

    /// Whether a member takes part in a quorum and no alarm is raised: `GET /health`.
    func isHealthy(_ endpoint: String) async throws -> Bool {
        // 503 carries the same words as 200.
        let response = try await send("GET", "/health", at: endpoint)
        let answer: Health = try Self.decode(response.body, at: endpoint)
        return answer.health == "true"
    }

    /// Takes an alarm back; its cause has to be gone.
    func disarm(_ alarm: EtcdAlarm, at endpoint: String) async throws {
        let request = Disarming(memberID: GatewayNumber(alarm.memberID), alarm: alarm.kind)
        let _: GatewayNothing = try await call("/v3/maintenance/alarm", request, at: endpoint)
    }

    /// Forgets what was before a revision.
    func compact(to revision: Int64, at endpoint: String) async throws {
        let _: GatewayNothing = try await call(
            "/v3/kv/compaction",
            ["revision": GatewayNumber(revision)],
            at: endpoint
        )
    }
}
