// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Tells, once, when fewer bytes arrive than a policy wants; asked by the transfer itself, so it needs no timer.
final class SpeedGauge: Sendable {
    private struct Window {
        var start: Duration = .zero
        var bytes = 0
        var isOver = false
    }

    private let policy: HedgePolicy
    private let elapsed: @Sendable () -> Duration
    private let onSlow: @Sendable () -> Void
    private let window = Mutex(Window())

    /// Starts to measure.
    init(policy: HedgePolicy, clock: any Clock<Duration>, onSlow: @escaping @Sendable () -> Void) {
        self.policy = policy
        self.elapsed = clock.stopwatch()
        self.onSlow = onSlow
    }

    /// Counts bytes that arrived, 0 when the time passes without any.
    func count(_ bytes: Int) {
        let now = elapsed()
        let isSlow = window.withLock { window in
            window.bytes += bytes
            let time = now - window.start
            guard !window.isOver, time >= policy.window else { return false }
            window.isOver = Double(window.bytes) < Double(policy.floor) * (time / .seconds(1))
            window.start = now
            window.bytes = 0
            return window.isOver
        }
        if isSlow { onSlow() }
    }
}

extension Clock where Duration == Swift.Duration {
    /// Reads how long ago it was made.
    fileprivate func stopwatch() -> @Sendable () -> Duration {
        let start = now
        return { start.duration(to: now) }
    }
}
