// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS

/// The one phase and the one failure that matter, out of the states of all steps.
struct PhaseSummary: Sendable, Equatable {
    /// What is awaited is named at once, but called a failure only after this long.
    static let grace: Duration = .seconds(30)

    var phase: AgentPhase
    var activity: String
    var failure: AgentFailure?
    var done: Int

    /// Summarises, purely; `subject` is what the steps are for.
    init(_ steps: [any Step], _ states: [StepState], now: Duration, subject: String = "control plane") {
        let pairs = Array(zip(steps, states))
        done = states.count(where: \.isTrue)
        let open = pairs.first { $0.isEssential && !$1.isTrue }
        guard let (step, state) = open else {
            let warning = pairs.first { !$1.isTrue && $1.failure != nil }
            phase = .converged
            activity = warning.map { "\(subject) is up; \($0.0.activity)" } ?? "\(subject) is up"
            failure = warning.flatMap { $0.1.failure }.map(AgentFailure.init)
            return
        }
        activity = step.activity
        guard let cause = state.failure else {
            phase = .converging
            failure = nil
            return
        }
        phase = state.hasFailed ? .failed : .waiting
        let matters = state.hasFailed || cause.kind == .transient || state.waited(at: now) >= Self.grace
        failure = matters ? AgentFailure(Self.timed(cause, state, now)) : nil
    }

    /// A wait beyond its deadline says how long it was.
    private static func timed(_ failure: Failure, _ state: StepState, _ now: Duration) -> Failure {
        guard failure.kind != .permanent, state.waited(at: now) >= Self.grace else { return failure }
        var failure = failure
        failure.message = "for \(state.waited(at: now).components.seconds) s: " + failure.message
        return failure
    }
}

extension AgentFailure {
    /// A failure with its causes in one line.
    init(_ failure: Failure) {
        self.init(code: failure.code, message: failure.chain, hint: failure.hint ?? "")
    }
}
