// SPDX-License-Identifier: Apache-2.0

/// How often to try again after transient failures, and how long to wait between rounds.
public struct RetryPolicy: Sendable {
    /// How many times every source is tried; a round that brought bytes does not count.
    public var rounds: Int
    /// The first wait; each further one is twice as long.
    public var initialDelay: Duration
    /// The longest wait.
    public var maximumDelay: Duration

    /// Makes a policy from its parts.
    public init(rounds: Int = 5, initialDelay: Duration = .seconds(1), maximumDelay: Duration = .seconds(30)) {
        self.rounds = max(1, rounds)
        self.initialDelay = initialDelay
        self.maximumDelay = maximumDelay
    }

    /// The wait after a round, counting from 0: between half and all of it, so that many machines spread.
    public func delay(after round: Int, using random: inout some RandomNumberGenerator) -> Duration {
        let full = min(maximumDelay, initialDelay * Int(1 << min(round, 20)))
        return full * Double.random(in: 0.5...1, using: &random)
    }
}
