// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

/// How a run goes about its tasks.
///
/// Time and chance come from here, so that a test decides both.
public struct ConvergeOptions: Sendable {
    /// How many tasks, or batches of tasks, run at the same time; at least 1.
    public var width: Int
    /// How failures are tried again.
    public var retry: RetryPolicy
    /// What waits between attempts.
    public var clock: any Clock<Duration>
    /// What spreads the waits.
    public var random: any RandomNumberGenerator & Sendable
    /// The wall clock, for the report.
    public var now: @Sendable () -> Date
    /// What was approved; `nil` allows all.
    ///
    /// A task that would change anything else fails with `plan-outdated`.
    public var approved: Plan?

    /// Makes options from their parts.
    public init(
        width: Int = 4,
        retry: RetryPolicy = RetryPolicy(),
        clock: any Clock<Duration> = ContinuousClock(),
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        now: @escaping @Sendable () -> Date = { Date() },
        approved: Plan? = nil
    ) {
        self.width = max(1, width)
        self.retry = retry
        self.clock = clock
        self.random = random
        self.now = now
        self.approved = approved
    }
}

/// When a failed task is tried again, and when no more.
///
/// Nothing is tried for ever.
public struct RetryPolicy: Sendable, Equatable {
    /// Attempts at a task that fails transiently, the first included.
    public var attempts: Int
    /// The wait before the second attempt; each further wait is twice as long.
    public var base: Duration
    /// The longest wait.
    public var cap: Duration
    /// How long a task may fail transiently, from its first attempt.
    public var deadline: Duration
    /// How long a task may wait for something, from its first attempt.
    public var waitingDeadline: Duration

    /// Makes a policy from its parts.
    public init(
        attempts: Int = 10,
        base: Duration = .milliseconds(500),
        cap: Duration = .seconds(30),
        deadline: Duration = .seconds(600),
        waitingDeadline: Duration = .seconds(600)
    ) {
        self.attempts = attempts
        self.base = base
        self.cap = cap
        self.deadline = deadline
        self.waitingDeadline = waitingDeadline
    }

    /// The wait after an attempt (1 for the first): between half and all of the doubled base, never above the cap.
    func wait(after attempt: Int, using random: inout some RandomNumberGenerator) -> Duration {
        var full = base
        for _ in 1..<max(1, min(attempt, 62)) where full < cap { full = full * 2 }
        full = min(full, cap)
        return full * Double.random(in: 0.5...1, using: &random)
    }
}

/// A small generator that gives the same numbers for the same seed (SplitMix64).
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
