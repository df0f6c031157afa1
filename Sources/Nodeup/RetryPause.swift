// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeOS

/// Keeps runs apart that fail one after another, each time for longer.
///
/// Trying does not end, for the remedy may be a change in the store, and nobody should have to log in so that it is
/// seen; it gets rare. The machine stays in the state that its last run ended in, and says when the next begins.
struct RetryPause {
    /// The longest pause.
    static let limit = Duration.seconds(300)
    /// The first pause beyond the service's own (`RestartSec`); each further one is twice as long.
    private static let base = Duration.seconds(10)

    let node: any NodeWriter
    let clock: any Clock<Duration>
    let now: @Sendable () -> Date

    /// How long to wait before the run that is the service's n-th restart in a row.
    ///
    /// A first one comes at once: what was missing at boot is often there a moment later.
    static func length(beforeRestart number: Int) -> Duration {
        guard number > 1 else { return .zero }
        var length = base
        for _ in 2..<min(number, 32) where length < limit { length = length * 2 }
        return min(length, limit)
    }

    /// Says when the next run begins, on the machine and by `publish`, and waits for it.
    ///
    /// A machine that somebody converged by hand in between has nothing to wait for.
    func keep(beforeRestart number: Int, publish: ([UInt8]) -> Void) async throws {
        let length = Self.length(beforeRestart: number)
        let last = try? AgentStatus(parsing: await node.read(StatusReporter.journal))
        guard length > .zero, last?.phase != .converged else { return }
        if let last, let report = await StatusReporter.note(status(after: last, length), on: node) { publish(report) }
        try await clock.sleep(for: length)
    }

    private func status(after last: AgentStatus, _ length: Duration) -> AgentStatus {
        var status = last
        status.updated = now()
        let next = status.updated.addingTimeInterval(TimeInterval(length.components.seconds))
        status.activity = "tries again at \(next.formatted(.iso8601))"
        if last.phase != .failed {
            // The run before this pause was killed, or ended before it could say anything.
            status.phase = .failed
            status.failure =
                last.failure
                ?? AgentFailure(
                    code: "run-interrupted",
                    message: "the last run ended while it was \(last.phase.rawValue): \(last.activity)",
                    hint: "journalctl -u nodeup.service tells what ended it"
                )
        }
        return status
    }
}
