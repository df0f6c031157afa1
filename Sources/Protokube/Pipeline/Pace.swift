// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// How long protokube pauses: short while something it can name is awaited, long once only a person can help.
struct Pace: Sendable, Equatable {
    /// Between two looks at something that is awaited.
    var poll: Duration = .milliseconds(250)
    /// After the first transient failure; doubles with each.
    var firstRetry: Duration = .milliseconds(500)
    /// After a permanent failure, after a spent deadline, and at most after a transient failure.
    var slow: Duration = .seconds(15)
    /// The longest sleep, so that a watchdog hears of the loop.
    var idle: Duration = .seconds(5)

    /// The pause after the n-th failure in a row, counted from 1.
    func delay(after failure: Failure, attempt: Int, isOverdue: Bool) -> Duration {
        switch failure.kind {
        case .permanent: slow
        case .waiting: isOverdue ? slow : poll
        case .transient: isOverdue ? slow : min(firstRetry * (1 << min(max(attempt, 1) - 1, 16)), slow)
        }
    }
}
