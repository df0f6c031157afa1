// SPDX-License-Identifier: Apache-2.0
import NodeOS
import Synchronization

/// Lets the service manager hear that a step goes on, for as long as it may and no longer: one that hangs has to be ended.
///
/// A step has its patience from one sign of life to the next. What takes longer, such as a program or a transfer, says by
/// when it ends (``LongWork``), and what is over tells nothing any more.
final class Vigil: StepObserver {
    /// How long nothing need be heard of a step that does nothing long.
    static let patience: Duration = .seconds(120)

    private struct State {
        /// When there was the last sign of life.
        var sign: Duration
        /// When what is under way ends at the latest, by number.
        var works: [Int: Duration] = [:]
        var count = 0
    }

    private let report: any PipelineReport
    private let now: @Sendable () -> Duration
    private let state: Mutex<State>

    /// Begins with a sign of life.
    init(_ report: any PipelineReport, now: @escaping @Sendable () -> Duration) {
        self.report = report
        self.now = now
        state = Mutex(State(sign: now()))
    }

    /// Whether the step may still take its time.
    var isPatient: Bool {
        let now = now()
        return state.withLock { state in
            now <= max(state.sign, state.works.values.max() ?? state.sign) + Self.patience
        }
    }

    /// Tells at each interval that the step goes on, until the task is cancelled.
    ///
    /// What has lasted too long may go on all the same before the service manager ends it, and is told of again then.
    func keep(every interval: Duration, on clock: any Clock<Duration>) async {
        while (try? await clock.sleep(for: interval)) != nil {
            if isPatient { await report.alive() }
        }
    }

    /// Hears that something begins which ends within a limit.
    ///
    /// - Returns: To be called when it has ended.
    func begins(within limit: Duration) -> @Sendable () -> Void {
        let now = now()
        let number = state.withLock { state in
            state.count += 1
            state.sign = now
            state.works[state.count] = now + limit
            return state.count
        }
        return { [self] in
            let now = self.now()
            state.withLock { state in
                state.sign = now
                state.works[number] = nil
            }
        }
    }

    func progress(_ activity: String) async {
        sign()
        await report.progress(activity)
    }

    func partBegan(_ name: String) async {
        sign()
        await report.partBegan(name)
    }

    func partEnded(_ name: String) async {
        sign()
        await report.partEnded(name)
    }

    private func sign() {
        let now = now()
        state.withLock { $0.sign = now }
    }
}
