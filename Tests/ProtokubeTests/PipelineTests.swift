// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeOS
import NodeTesting
import Testing

@testable import Protokube

@Suite struct PipelineTests {
    let bench = Bench()
    var clock: SimulatedClock { bench.clock }

    static func failure(_ kind: Failure.Class, _ code: String = "it") -> Failure {
        Failure(kind, code: code, "\(code) is missing", hint: "bring \(code)")
    }

    @Test func stepsComeInOrderAndTakeNoTimeWhenNothingIsAwaited() async throws {
        let steps = ["volume", "etcd", "api-server", "addons"].map { ScriptedStep($0, clock: clock) }
        #expect(try await bench.pipeline(steps).runOnce() == .converged)
        #expect(steps.map(\.times.count) == [1, 1, 1, 1])
        #expect(clock.now.offset == .zero)
        let last = try #require(bench.statuses.last)
        #expect(last.phase == .converged)
        #expect(last.spans.map(\.name) == ["volume", "etcd", "api-server", "addons"])
        #expect(last.tasksDone == 4 && last.tasksTotal == 4)
    }

    @Test func whatIsAwaitedIsPolledOftenAndNamed() async throws {
        let api = ScriptedStep("api-server", clock: clock) { _, now in
            if now < .seconds(20) { throw Self.failure(.waiting) }
        }
        let after = ScriptedStep("addons", clock: clock)
        #expect(try await bench.pipeline([api, after]).runOnce() == .converged)
        #expect(zip(api.times, api.times.dropFirst()).allSatisfy { $1 - $0 <= .milliseconds(250) })
        #expect(after.times == [clock.now.offset], "nothing goes on before it is there")
        #expect(clock.now.offset - .seconds(20) <= .milliseconds(250))
        let waiting = bench.statuses.filter { $0.phase == .waiting }
        #expect(waiting.first?.activity == "waiting for api-server")
        #expect(waiting.allSatisfy { $0.failure == nil }, "twenty seconds of starting are no failure")
    }

    @Test func aWaitHasADeadlineAndGoesOnSlowly() async throws {
        let api = ScriptedStep("api-server", clock: clock, patience: .seconds(60)) { _, now in
            if now < .seconds(600) { throw Self.failure(.waiting, "api") }
        }
        await bench.run([api], for: .seconds(700))
        let early = api.times.filter { $0 < .seconds(60) }
        let late = api.times.filter { $0 > .seconds(61) && $0 < .seconds(600) }
        #expect(early.count >= 240)
        #expect(zip(late, late.dropFirst()).allSatisfy { $1 - $0 >= .seconds(15) }, "never a tight loop")
        let failed = try #require(bench.statuses.first { $0.phase == .failed })
        #expect(failed.failure?.code == "api")
        #expect(failed.failure?.message.hasPrefix("for 60 s: ") == true)
        #expect(failed.failure?.hint == "bring api")
        #expect(bench.statuses.last?.phase == .converged, "it converges without help once the cause is gone")
        #expect(bench.statuses.last?.failure == nil)
    }

    @Test func aPermanentFailureIsOneClearLineAndIsLookedAtSlowly() async throws {
        let volume = ScriptedStep("volume", clock: clock) { _, now in
            if now < .seconds(100) { throw Self.failure(.permanent, "volume-foreign") }
        }
        let etcd = ScriptedStep("etcd", clock: clock)
        await bench.run([volume, etcd], for: .seconds(130))
        #expect(volume.times.filter { $0 < .seconds(100) }.count <= 8)
        #expect(bench.statuses.first { $0.failure != nil }?.phase == .failed)
        #expect(
            bench.statuses.first { $0.failure != nil }?.updated.timeIntervalSince1970 == 0,
            "at once, not after a deadline"
        )
        #expect(etcd.times.first.map { $0 >= .seconds(100) && $0 <= .seconds(115) } == true)
        #expect(bench.statuses.last?.phase == .converged)
    }

    @Test func transientFailuresAreRetriedWithCappedBackoff() async throws {
        let step = ScriptedStep("etcd", clock: clock, patience: .seconds(3600)) { look, _ in
            if look < 12 { throw Self.failure(.transient) }
        }
        #expect(try await bench.pipeline([step]).runOnce() == .converged)
        let gaps = zip(step.times, step.times.dropFirst()).map { ($1 - $0) / .milliseconds(1) }
        #expect(gaps == [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000, 15000, 15000, 15000])
    }

    @Test func whatIsNotEssentialHoldsNothingUpAndIsAWarning() async throws {
        let discovery = ScriptedStep("discovery", clock: clock, isEssential: false) { _, _ in
            throw Self.failure(.transient, "store-unreadable")
        }
        let etcd = ScriptedStep("etcd", clock: clock)
        await bench.run([discovery, etcd], for: .seconds(120))
        #expect(etcd.times.first == .zero)
        let last = try #require(bench.statuses.last)
        #expect(last.phase == .converged)
        #expect(last.failure?.code == "store-unreadable")
        #expect(discovery.times.count > 5, "it is tried on")
    }

    @Test func aStepThatFallsBackHoldsUpWhatNeedsItAndNothingElse() async throws {
        let discovery = ScriptedStep("discovery", clock: clock, cadence: .seconds(10), isEssential: false)
        let etcd = ScriptedStep("etcd", clock: clock, cadence: .seconds(10)) { _, now in
            if now > .seconds(50), now < .seconds(100) { throw Self.failure(.waiting, "etcd-unhealthy") }
        }
        let addons = ScriptedStep("addons", clock: clock, cadence: .seconds(10))
        await bench.run([discovery, etcd, addons], for: .seconds(200))
        let outage = Duration.seconds(61)...Duration.seconds(99)
        #expect(addons.times.filter(outage.contains).isEmpty)
        #expect(discovery.times.filter(outage.contains).count >= 3)
        #expect(addons.times.contains { $0 > .seconds(100) })
        #expect(bench.statuses.contains { $0.phase == .waiting && $0.activity == "waiting for etcd" })
        #expect(bench.statuses.last?.phase == .converged)
        #expect(bench.statuses.last?.spans.count { $0.name == "etcd" } == 1, "the waterfall shows the way up only")
    }

    @Test func readyIsSaidOnceAndBeforeAnythingIsWaitedFor() async throws {
        let etcd = ScriptedStep("etcd", clock: clock) { _, _ in throw Self.failure(.transient) }
        await bench.run([etcd], for: .seconds(30))
        #expect(bench.heard.all.count { $0 == "READY" } == 1)
        let ready = try #require(bench.heard.all.firstIndex(of: "READY"))
        #expect(!bench.heard.all[..<ready].contains { $0.contains("etcd") })
    }

    @Test func theWatchdogHearsOfEveryTurn() async throws {
        let step = ScriptedStep("etcd", clock: clock, cadence: .seconds(3600))
        await bench.run([step], for: .seconds(600))
        #expect(bench.heard.all.count { $0 == "WATCHDOG" } >= 120)
        #expect(clock.sleeps.allSatisfy { $0 <= .seconds(5) })
    }

    @Test func aRunThatShouldEndEndsWithTheFailure() async throws {
        let step = ScriptedStep("volume", clock: clock) { _, _ in throw Self.failure(.permanent) }
        #expect(try await bench.pipeline([step]).runOnce() == .failed)
        #expect(step.times.count == 1)
    }

    @Test func anUnknownErrorIsRetriedUnderTheStepsName() async throws {
        struct Odd: Error {}
        let step = ScriptedStep("etcd", clock: clock) { look, _ in if look == 1 { throw Odd() } }
        #expect(try await bench.pipeline([step]).runOnce() == .converged)
        #expect(bench.statuses.contains { $0.failure?.code == "etcd-failed" })
    }

    @Test func cancellationEndsTheLoop() async throws {
        let step = ScriptedStep("etcd", clock: clock) { _, _ in throw CancellationError() }
        await #expect(throws: CancellationError.self) { try await bench.pipeline([step]).run() }
        #expect(step.times.count == 1)
    }

    /// Whatever fails however, for as long as it likes: once the causes are gone everything comes up, in order, without
    /// a tight loop on the way.
    @Test(arguments: Seeded.seeds(20)) func anyStormPasses(seed: UInt64) async throws {
        var generator = Seeded(seed)
        let names = ["discovery", "volume", "etcd", "api-server", "manifests", "addons"]
        let steps = names.map { name -> ScriptedStep in
            let kinds = (0..<7).map { _ in
                [Failure.Class.permanent, .transient, .waiting].randomElement(using: &generator)
            }
            let until = Duration.seconds(Int.random(in: 0...150, using: &generator))
            return ScriptedStep(name, clock: clock, isEssential: name != "discovery") { look, now in
                if now < until, let kind = kinds[look % kinds.count] { throw Self.failure(kind, name) }
            }
        }
        await bench.run(steps, for: .seconds(200))
        #expect(bench.statuses.last?.phase == .converged, "\(generator)")
        #expect(bench.statuses.last?.failure == nil, "\(generator)")
        for step in steps {
            #expect(
                step.times.count <= 200 * 4 + 20,
                "\(generator): \(step.name) was looked at \(step.times.count) times"
            )
        }
        let essential = steps.filter(\.isEssential)
        for (before, after) in zip(essential, essential.dropFirst()) {
            #expect((before.times.first ?? .zero) <= (after.times.first ?? .zero), "\(generator)")
        }
    }
}
