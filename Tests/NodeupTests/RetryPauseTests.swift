// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeTesting
import Testing

@testable import Nodeup

/// The time between runs that fail one after another.
@Suite struct RetryPauseTests {
    let node = FakeNode()
    let clock = SimulatedClock()

    private var pause: RetryPause { RetryPause(node: node, clock: clock, now: { Fixture.now }) }

    /// What the last run left, with what it is in now.
    private func last(_ phase: AgentPhase, failure: AgentFailure? = nil) async -> AgentStatus {
        let status = AgentStatus(
            agent: "nodeup",
            instance: "nodes-1",
            instanceGroup: "nodes",
            phase: phase,
            activity: "image:pause",
            failure: failure,
            started: Fixture.now,
            updated: Fixture.now
        )
        _ = await StatusReporter.note(status, on: node)
        return status
    }

    /// The report of a pause, which is the same on the machine and elsewhere.
    private func keep(_ number: Int) async throws -> AgentStatus? {
        var published: [[UInt8]] = []
        try await pause.keep(beforeRestart: number) { published.append($0) }
        guard let report = published.first else { return nil }
        #expect(published.count == 1)
        #expect(try await node.read(StatusReporter.journal) == report)
        return try AgentStatus(parsing: report)
    }

    @Test func pausesGrowToFiveMinutes() {
        let seconds = [0, 1, 2, 3, 4, 5, 6, 7, 8, 1000, .max].map {
            RetryPause.length(beforeRestart: $0).components.seconds
        }
        #expect(seconds == [0, 0, 10, 20, 40, 80, 160, 300, 300, 300, 300])
    }

    @Test func aMachineStaysFailedAndSaysWhenItTriesAgain() async throws {
        var expected = await last(.failed, failure: AgentFailure(code: "generation-forged", message: "m", hint: "h"))
        expected.activity = "tries again at 2023-11-14T22:14:00Z"
        #expect(try await keep(4) == expected)
        #expect(clock.sleeps == [.seconds(40)])
    }

    @Test func aRunThatWasKilledIsAFailure() async throws {
        _ = await last(.converging)
        let status = try await keep(2)
        #expect(status?.phase == .failed && status?.failure?.code == "run-interrupted")
        #expect(status?.failure?.message == "the last run ended while it was converging: image:pause")
    }

    @Test func nothingIsSaidBeforeAFirstRestart() async throws {
        _ = await last(.failed)
        await node.forgetEffects()
        for number in [0, 1] { #expect(try await keep(number) == nil) }
        #expect(await node.effects.isEmpty)
        #expect(clock.sleeps.isEmpty)
    }

    @Test func whoConvergedByHandNeedNotWait() async throws {
        _ = await last(.converged)
        #expect(try await keep(9) == nil)
        #expect(clock.sleeps.isEmpty)
    }

    @Test func aMachineWithoutAReportPausesToo() async throws {
        #expect(try await keep(3) == nil)
        #expect(clock.sleeps == [.seconds(20)])
    }
}
