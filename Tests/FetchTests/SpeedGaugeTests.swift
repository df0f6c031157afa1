// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import Synchronization
import Testing

@testable import Fetch

@Suite struct SpeedGaugeTests {
    /// How often a gauge of 1000 bytes per second over ten seconds complains of arrivals a second apart.
    private func complaints(_ arrivals: [Int], floor: Int64 = 1000) async throws -> Int {
        let clock = SimulatedClock()
        let complaints = Mutex(0)
        let policy = HedgePolicy(floor: floor, window: .seconds(10))
        let gauge = SpeedGauge(policy: policy, clock: clock) { complaints.withLock { $0 += 1 } }
        for bytes in arrivals {
            try await clock.sleep(for: .seconds(1))
            gauge.count(bytes)
        }
        return complaints.withLock { $0 }
    }

    @Test func onlyAWholeWindowBelowTheFloorIsSlow() async throws {
        #expect(try await complaints(Array(repeating: 1000, count: 100)) == 0)
        #expect(try await complaints(Array(repeating: 0, count: 9)) == 0)
        #expect(try await complaints([0, 0, 0, 0, 0, 0, 0, 0, 0, 10_000]) == 0)
        #expect(try await complaints(Array(repeating: 999, count: 10)) == 1)
    }

    @Test func speedOfThePastDoesNotCount() async throws {
        #expect(try await complaints([1_000_000] + Array(repeating: 0, count: 9)) == 0)
        #expect(try await complaints([1_000_000] + Array(repeating: 0, count: 19)) == 1)
    }

    @Test func itIsToldOnceAndNeverWithoutAFloor() async throws {
        #expect(try await complaints(Array(repeating: 1, count: 1000)) == 1)
        #expect(try await complaints(Array(repeating: 0, count: 1000), floor: 0) == 0)
    }
}
