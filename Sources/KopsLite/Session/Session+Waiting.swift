// SPDX-License-Identifier: Apache-2.0

extension Session {
    /// Starts to measure; each call of the result says how much time has passed since.
    func stopwatch() -> () -> Duration { Self.stopwatch(on: clock) }

    private static func stopwatch(on clock: some Clock<Duration>) -> () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
