// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// Brings a list of steps about in order, and then keeps them true, for ever.
///
/// One loop, one step at a time: the first step that is due and whose essential predecessors are all true. So a wait for
/// the API server holds up what needs it and nothing else, and a step that falls back later is brought about again the
/// same way. No wait is without a name and a deadline, and the loop sleeps whenever nothing is due.
struct Pipeline: Sendable {
    /// Why a pipeline that need not run for ever ended.
    enum Ending: Sendable, Equatable {
        /// Every step is true.
        case converged
        /// A step failed for good or beyond its deadline.
        case failed
        /// Other steps are to be taken than these.
        case outdated
    }

    let steps: [any Step]
    let clock: any Clock<Duration>
    let report: any PipelineReport
    var pace = Pace()
    /// Ends a pause early when devices come, change and go, and when what was true may be so no longer.
    var doorbell = Doorbell()
    /// After how long without a word the service manager ends the program; `nil` where it does not watch.
    var watchdog: Duration?

    /// Runs until the task is cancelled, or its steps are outdated.
    func run() async throws -> Ending {
        try await loop { _ in nil }
    }

    /// Runs until every step is true once, or one of them has failed.
    func runOnce() async throws -> Ending {
        try await loop { states in
            let essential = zip(steps, states).filter(\.0.isEssential).map(\.1)
            if essential.contains(where: \.hasFailed) { return .failed }
            return essential.allSatisfy(\.hasBeenTrue) ? .converged : nil
        }
    }

    private func loop(until end: @Sendable ([StepState]) -> Ending?) async throws -> Ending {
        let stopwatch = Stopwatch(clock)
        var states = [StepState](repeating: StepState(), count: steps.count)
        await report.begin(steps)
        while true {
            try Task.checkCancellation()
            await report.alive()
            hear(&states, now: stopwatch.elapsed())
            if let index = Self.next(steps, states, now: stopwatch.elapsed()) {
                if let ending = try await attempt(index, &states, stopwatch) { return ending }
                await report.states(states, steps, now: stopwatch.elapsed())
                if let ending = end(states) { return ending }
            } else {
                try await doorbell.sleep(for: pause(states, now: stopwatch.elapsed()), on: clock)
            }
        }
    }

    /// The first step that is due and not held up.
    static func next(_ steps: [any Step], _ states: [StepState], now: Duration) -> Int? {
        for (index, step) in steps.enumerated() {
            if states[index].due <= now { return index }
            if step.isEssential, !states[index].isTrue { return nil }
        }
        return nil
    }

    /// Makes due at once what concerns that which has happened since the last turn.
    private func hear(_ states: inout [StepState], now: Duration) {
        if doorbell.takeAlarm() {
            for index in states.indices where states[index].isTrue { states[index].due = now }
        }
        for event in doorbell.take() {
            for (index, step) in steps.enumerated() where step.concerns(event, isTrue: states[index].isTrue) {
                states[index].heard(at: now)
            }
        }
    }

    private func attempt(_ index: Int, _ states: inout [StepState], _ stopwatch: Stopwatch) async throws -> Ending? {
        let step = steps[index]
        states[index].began(at: stopwatch.elapsed())
        await report.began(index, states, steps)
        do {
            try await converge(step, stopwatch)
            let isFirst = !states[index].hasBeenTrue
            states[index].succeeded(at: stopwatch.elapsed(), cadence: step.cadence)
            if isFirst { await report.ended(step) }
        } catch is OutdatedSteps {
            return .outdated
        } catch {
            if error is CancellationError || Task.isCancelled { throw CancellationError() }
            let failure = Failure(error, during: step.name)
            var pace = pace
            pace.poll = step.poll(after: failure) ?? pace.poll
            states[index].failed(failure, at: stopwatch.elapsed(), patience: step.patience, pace: pace)
        }
        return nil
    }

    /// Converges a step while somebody tells a watchdog that it goes on.
    private func converge(_ step: any Step, _ stopwatch: Stopwatch) async throws {
        guard let watchdog else { return try await step.converge(report) }
        let vigil = Vigil(report, now: stopwatch.elapsed)
        // It ends with the step. Three times in the interval, so that one word may come late.
        async let _ = vigil.keep(every: watchdog / 3, on: clock)
        let listener: LongWork.Listener = { vigil.begins(within: $0) }
        try await LongWork.heard(by: listener) { try await step.converge(vigil) }
    }

    private func pause(_ states: [StepState], now: Duration) -> Duration {
        let runnable = steps.indices.prefix { index in
            index == 0 || !steps[index - 1].isEssential || states[index - 1].isTrue
        }
        let earliest = runnable.map { states[$0].due }.min() ?? now
        return max(min(earliest - now, pace.idle), .milliseconds(1))
    }
}

/// Measures time on any clock.
struct Stopwatch: Sendable {
    let elapsed: @Sendable () -> Duration

    init(_ clock: any Clock<Duration>) { elapsed = Self.measuring(clock) }

    private static func measuring<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}

/// What a pipeline tells the outside.
protocol PipelineReport: StepObserver {
    /// The steps there are.
    func begin(_ steps: [any Step]) async
    /// The loop turns.
    func alive() async
    /// A step is looked at.
    func began(_ index: Int, _ states: [StepState], _ steps: [any Step]) async
    /// A step is true for the first time.
    func ended(_ step: any Step) async
    /// Where all steps are after one was looked at.
    func states(_ states: [StepState], _ steps: [any Step], now: Duration) async
}
