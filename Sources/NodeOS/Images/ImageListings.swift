// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What runtimes said a moment ago: a node has a dozen images, and each question starts a program.
///
/// An answer is forgotten after two seconds, and whenever this program changes images or units.
final class ImageListings: Sendable {
    private struct Answer: Sendable {
        let identifiers: Set<String>
        let age: @Sendable () -> Duration
    }

    private let answers = Mutex<[String: Answer]>([:])
    private let clock: any Clock<Duration>
    private let turnstile = Turnstile()

    init(clock: any Clock<Duration>) { self.clock = clock }

    /// What a runtime holds, asked unless it was a moment ago.
    func identifiers(
        in runtime: String,
        asking ask: @Sendable () async throws -> Set<String>
    ) async throws
        -> Set<String>
    {
        // One at a time, so that those who ask together hear the same answer.
        try await turnstile.pass {
            if let answer = answers.withLock({ $0[runtime] }), answer.age() < .seconds(2) { return answer.identifiers }
            let age = Self.stopwatch(clock)
            let identifiers = try await ask()
            answers.withLock { $0[runtime] = Answer(identifiers: identifiers, age: age) }
            return identifiers
        }
    }

    /// Makes the next question be asked.
    func forget() { answers.withLock { $0 = [:] } }

    private static func stopwatch<Timer: Clock<Duration>>(_ clock: Timer) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
