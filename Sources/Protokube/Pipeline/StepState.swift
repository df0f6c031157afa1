// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// What the pipeline knows of one step.
///
/// Instants are durations since the pipeline's start.
struct StepState: Sendable, Equatable {
    /// Whether it was true when last looked at.
    var isTrue = false
    /// Whether it was ever true.
    var hasBeenTrue = false
    /// When it is looked at next.
    var due: Duration = .zero
    /// When the first look since it was last true began; `nil` before any.
    var since: Duration?
    /// How many looks in a row found it failing.
    var attempts = 0
    /// Why it is not true.
    var failure: Failure?
    /// Whether its patience is spent, or only a person can help.
    var hasFailed = false

    static func == (left: Self, right: Self) -> Bool {
        left.isTrue == right.isTrue && left.hasBeenTrue == right.hasBeenTrue && left.due == right.due
            && left.since == right.since && left.attempts == right.attempts && left.hasFailed == right.hasFailed
            && left.failure?.chain == right.failure?.chain
    }

    /// Notes that a look begins.
    mutating func began(at now: Duration) {
        since = since ?? now
    }

    /// Notes a look that found or made it true.
    mutating func succeeded(at now: Duration, cadence: Duration) {
        isTrue = true
        hasBeenTrue = true
        due = now + cadence
        since = nil
        attempts = 0
        failure = nil
        hasFailed = false
    }

    /// Notes a look that failed.
    mutating func failed(_ failure: Failure, at now: Duration, patience: Duration, pace: Pace) {
        let waited = now - (since ?? now)
        let isOverdue = waited >= patience
        isTrue = false
        attempts += 1
        hasFailed = failure.kind == .permanent || isOverdue
        self.failure = failure
        due = now + pace.delay(after: failure, attempt: attempts, isOverdue: isOverdue)
    }

    /// Notes that it is worth a look at once, unless it has failed: a repair that fails may be heard of itself.
    mutating func heard(at now: Duration) {
        if isTrue || failure?.kind == .waiting { due = min(due, now) }
    }

    /// How long it has not been true.
    func waited(at now: Duration) -> Duration { now - (since ?? now) }
}
