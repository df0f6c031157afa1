// SPDX-License-Identifier: Apache-2.0
internal import NodeOS

/// One task's attempts: its own random numbers, so that a run's waits do not depend on which task fails first.
struct Retrying {
    let policy: RetryPolicy
    let clock: any Clock<Duration>
    var random: SeededGenerator
    let onRetry: @Sendable (Failure) async -> Void
    private(set) var attempts = 0

    init(
        policy: RetryPolicy,
        clock: any Clock<Duration>,
        seed: UInt64,
        onRetry: @escaping @Sendable (Failure) async -> Void
    ) {
        self.policy = policy
        self.clock = clock
        self.random = SeededGenerator(seed: seed)
        self.onRetry = onRetry
    }

    /// Attempts until success, a permanent failure, or the policy's end.
    mutating func run<Value>(_ attempt: () async throws -> Value) async throws(Failure) -> Value {
        let elapsed = Self.stopwatch(clock)
        while true {
            attempts += 1
            let failure: Failure
            do {
                return try await attempt()
            } catch {
                failure = Failure(wrapping: error)
            }
            guard let wait = wait(after: failure, elapsed: elapsed()), !Task.isCancelled else {
                throw attempts == 1 ? failure : failure.givenUp(after: attempts)
            }
            await onRetry(failure)
            do {
                try await clock.sleep(for: wait)
            } catch {
                throw failure.givenUp(after: attempts)
            }
        }
    }

    /// How long to wait before another attempt; `nil` when there is to be none.
    private mutating func wait(after failure: Failure, elapsed: Duration) -> Duration? {
        let deadline: Duration
        switch failure.kind {
        case .permanent: return nil
        case .transient where attempts >= policy.attempts: return nil
        case .transient: deadline = policy.deadline
        case .waiting: deadline = policy.waitingDeadline
        }
        guard elapsed < deadline else { return nil }
        return min(policy.wait(after: attempts, using: &random), deadline - elapsed)
    }

    private static func stopwatch<Timer: Clock<Duration>>(_ clock: Timer) -> () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}

extension Failure {
    /// The same failure, saying that it was tried several times.
    fileprivate func givenUp(after attempts: Int) -> Failure {
        Failure(kind, code: code, "\(message) (given up after \(attempts) attempts)", hint: hint, cause: cause)
    }
}
