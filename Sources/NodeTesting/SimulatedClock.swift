// SPDX-License-Identifier: Apache-2.0
internal import Synchronization

/// A clock on which every sleep ends at once and moves the time on, so that hours of waiting take none.
public final class SimulatedClock: Clock, Sendable {
    /// A point in time, counted from the clock's making.
    public struct Instant: InstantProtocol {
        /// Since the clock was made.
        public var offset: Duration
        /// The instant that much later.
        public func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        /// How much later another instant is.
        public func duration(to other: Instant) -> Duration { other.offset - offset }
        /// Earlier first.
        public static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let state = Mutex<(now: Duration, sleeps: [Duration])>((.zero, []))

    /// Makes a clock at zero.
    public init() {}

    /// The time now.
    public var now: Instant { Instant(offset: state.withLock { $0.now }) }
    /// The shortest step.
    public var minimumResolution: Duration { .nanoseconds(1) }
    /// How long was slept, each time.
    public var sleeps: [Duration] { state.withLock { $0.sleeps } }

    /// Lets time pass without anybody sleeping.
    public func advance(by duration: Duration) { state.withLock { $0.now += duration } }

    /// Moves on to a deadline at once.
    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        state.withLock { state in
            guard deadline.offset > state.now else { return }
            state.sleeps.append(deadline.offset - state.now)
            state.now = deadline.offset
        }
    }
}
