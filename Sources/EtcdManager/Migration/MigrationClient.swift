// SPDX-License-Identifier: Apache-2.0
import NodeOS
import Synchronization

/// Asks whichever member answers.
final class MigrationClient: Sendable {
    let gateway: EtcdGateway
    /// Since any fixed instant, never going back.
    let now: @Sendable () -> Duration
    private let clock: any Clock<Duration>
    private let endpoints: [String]
    private let current = Atomic(0)
    /// How often every member is asked before giving up: long enough for an election.
    private static let rounds = 6

    init(gateway: EtcdGateway, endpoints: [String], clock: any Clock<Duration>) {
        self.gateway = gateway
        self.endpoints = endpoints
        self.clock = clock
        now = Self.stopwatch(clock)
    }

    private static func stopwatch<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }

    /// Everything under version 2's keys.
    func snapshot() async throws -> V2Snapshot {
        try await ask { [gateway, now] in try await gateway.v2Snapshot(at: $0, now: now) }
    }

    /// Calls `body` with one member after the other until one answers; what is asked must bear being asked twice.
    ///
    /// - Throws: ``EtcdError`` the last member's, and whatever else `body` throws at once.
    func ask<Answer: Sendable>(
        _ body: @Sendable (_ endpoint: String) async throws -> Answer
    ) async throws -> Answer {
        var pause = Duration.milliseconds(200)
        var last: any Error = EtcdError.unreachable(endpoint: "nowhere", reason: "there is no member to ask")
        for round in 0..<Self.rounds {
            for _ in endpoints {
                let number = current.load(ordering: .relaxed)
                do {
                    return try await body(endpoints[number % endpoints.count])
                } catch let error as EtcdError {
                    guard case .unreachable = error else { throw error }
                    last = error
                    // Whoever notices first moves all on.
                    _ = current.compareExchange(expected: number, desired: number + 1, ordering: .relaxed)
                }
            }
            guard round < Self.rounds - 1 else { break }
            try await clock.sleep(for: pause)
            pause *= 2
        }
        throw last
    }
}
