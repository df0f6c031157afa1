// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTesting
import Testing

@testable import Protokube

/// What a watchdog hears while a step lasts.
@Suite(.timeLimit(.minutes(1))) struct VigilTests {
    let bench = Bench()
    var clock: SimulatedClock { bench.clock }

    /// The simulated clock, on which nobody sleeps beyond a moment.
    struct Ending: Clock {
        let clock: SimulatedClock
        let end: Duration
        var now: SimulatedClock.Instant { clock.now }
        var minimumResolution: Duration { clock.minimumResolution }
        func sleep(until deadline: SimulatedClock.Instant, tolerance: Duration?) async throws {
            guard deadline.offset <= end else { throw CancellationError() }
            try await clock.sleep(until: deadline, tolerance: tolerance)
        }
    }

    /// Begun long after the clock's start, as most steps are.
    func vigil() -> Vigil {
        clock.advance(by: .seconds(10_000))
        return Vigil(bench.reporter(), now: Stopwatch(clock).elapsed)
    }

    /// How often the watchdog hears of a step in the next so many seconds, if it may each minute.
    func words(_ vigil: Vigil, for duration: Duration) async -> Int {
        let before = bench.heard.all.count { $0 == "WATCHDOG" }
        await vigil.keep(every: .seconds(60), on: Ending(clock: clock, end: clock.now.offset + duration))
        return bench.heard.all.count { $0 == "WATCHDOG" } - before
    }

    @Test func aStepThatHangsIsLetGo() async {
        #expect(await words(vigil(), for: .seconds(3600)) == 2)
    }

    @Test func whatSaysWhenItEndsIsWaitedForAndNoLonger() async {
        let vigil = vigil()
        let ended = vigil.begins(within: .seconds(1800))
        #expect(await words(vigil, for: .seconds(7200)) == (1800 + 120) / 60)
        ended()
        #expect(await words(vigil, for: .seconds(7200)) == 2, "it may go on all the same")
    }

    @Test func whatHasEndedIsWaitedForNoLonger() async {
        let vigil = vigil()
        vigil.begins(within: .seconds(1800))()
        #expect(await words(vigil, for: .seconds(7200)) == 2)
    }

    @Test func ofWorkAtOnceTheLongestCounts() async {
        let vigil = vigil()
        let (long, short) = (vigil.begins(within: .seconds(1800)), vigil.begins(within: .seconds(60)))
        short()
        #expect(await words(vigil, for: .seconds(7200)) == 32)
        long()
    }

    @Test func eachSignOfLifeCounts() async {
        let vigil = vigil()
        for _ in 0..<20 {
            #expect(await words(vigil, for: .seconds(60)) == 1)
            // Itself a word to the watchdog.
            await vigil.progress("")
        }
        await vigil.partBegan("addons:kube-dns")
        #expect(await words(vigil, for: .seconds(3600)) == 2)
        await vigil.partEnded("addons:kube-dns")
        #expect(await words(vigil, for: .seconds(3600)) == 2)
    }

    /// The simulated clock, on which a sleep ends when somebody lets it.
    private struct Held: Clock {
        let clock: SimulatedClock
        let turns: AsyncStream<Void>
        var now: SimulatedClock.Instant { clock.now }
        var minimumResolution: Duration { clock.minimumResolution }
        func sleep(until deadline: SimulatedClock.Instant, tolerance: Duration?) async throws {
            for await _ in turns { return try await clock.sleep(until: deadline, tolerance: tolerance) }
            throw CancellationError()
        }
    }

    /// Lets time pass, and lasts until the watchdog has heard of it so often.
    private struct LongStep: Step {
        let turn: AsyncStream<Void>.Continuation
        let words: AsyncStream<Void>
        let name = "etcd"
        let activity = "waiting for etcd"
        let patience: Duration = .seconds(300)
        let cadence: Duration = .seconds(8)

        func converge(_ observer: any StepObserver) async throws {
            // As deep as a backup before a removal.
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await LongWork.within(.seconds(1800)) {
                        for _ in 0..<20 { turn.yield() }
                        for await _ in words.prefix(20) {}
                    }
                }
            }
        }
    }

    /// Counts what the watchdog hears.
    private struct Counting: PipelineReport {
        let word: AsyncStream<Void>.Continuation
        func alive() { word.yield() }
        func begin(_ steps: [any Step]) {}
        func began(_ index: Int, _ states: [StepState], _ steps: [any Step]) {}
        func ended(_ step: any Step) {}
        func states(_ states: [StepState], _ steps: [any Step], now: Duration) {}
        func progress(_ activity: String) {}
        func partBegan(_ name: String) {}
        func partEnded(_ name: String) {}
    }

    @Test func aStepThatWorksForLongIsNotTakenForOneThatHangs() async throws {
        let (words, word) = AsyncStream.makeStream(of: Void.self)
        let (turns, turn) = AsyncStream.makeStream(of: Void.self)
        let step = LongStep(turn: turn, words: words)
        var pipeline = Pipeline(
            steps: [step],
            clock: Held(clock: clock, turns: turns),
            report: Counting(word: word)
        )
        pipeline.watchdog = .seconds(180)
        #expect(try await pipeline.runOnce() == .converged)
        #expect(clock.now.offset >= .seconds(19 * 60), "the first word is the pipeline's own")
    }

    @Test func whereNobodyWatchesNothingIsKept() async throws {
        let step = ScriptedStep("etcd", clock: clock)
        #expect(try await bench.pipeline([step]).runOnce() == .converged)
        #expect(clock.sleeps.isEmpty)
    }
}
