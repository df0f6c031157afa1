// SPDX-License-Identifier: Apache-2.0
import Fetch
import StateStore

/// Tries a request again while its failure may pass: four times at the most, a little later each time.
struct Retries: Sendable {
    let clock: any Clock<Duration>

    private static let tries = 4
    private static let policy = RetryPolicy(initialDelay: .milliseconds(200), maximumDelay: .seconds(10))

    /// What one try came to.
    enum Outcome<Value: Sendable>: Sendable {
        case done(Value)
        /// May pass; how long the server asks to be left alone.
        case passing(StoreError, after: Duration?)
    }

    /// Runs tries until one is done.
    ///
    /// - Parameter attempt: Told whether an earlier try may have taken effect although its answer was lost.
    /// - Returns: What the try that was done came to.
    /// - Throws: The last try's error, or whatever a try throws.
    func run<Value: Sendable>(_ attempt: (_ mayHaveHappened: Bool) async throws -> Outcome<Value>) async throws -> Value
    {
        var random = SystemRandomNumberGenerator()
        var last: StoreError?
        for round in 0..<Self.tries {
            switch try await attempt(round > 0) {
            case .done(let value): return value
            case .passing(let error, let asked):
                last = error
                guard round + 1 < Self.tries else { break }
                let delay = Self.policy.delay(after: round, using: &random)
                try await clock.sleep(for: max(delay, min(asked ?? .zero, .seconds(30))))
            }
        }
        throw last ?? StoreError.unavailable(url: "", reason: "it was not tried")
    }
}
