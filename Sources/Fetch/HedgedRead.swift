// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// A source that is read, and a second one beside it once the first is slow; the first that is done and verified ends
/// the other.
struct HedgedRead: Sendable {
    /// What one source came to.
    struct Outcome: Sendable {
        let url: String
        let part: Part
        /// `nil` for a verified part.
        let error: FetchError?
    }

    private enum Event {
        case slow
        case ended(Outcome)
        /// There was no copy to begin with.
        case missed
    }

    let first: SourceReader
    /// `nil` when there is no other source, or it was used up.
    let second: SourceReader?
    /// Where the second writes.
    let place: FilePath
    let policy: HedgePolicy
    let clock: any Clock<Duration>

    /// Completes a part from one source or the other.
    ///
    /// - Returns: A verified outcome last, or what each source that was read failed with.
    /// - Throws: `CancellationError`.
    func run(_ part: Part) async throws -> [Outcome] {
        let (slowness, slow) = AsyncStream.makeStream(of: Void.self)
        let gauge = SpeedGauge(policy: policy, clock: clock) { slow.yield() }
        return try await withThrowingTaskGroup(of: Event.self) { group in
            defer { group.cancelAll() }
            group.addTask { .ended(try await read(first, part, gauge)) }
            group.addTask {
                for await _ in slowness { return .slow }
                throw CancellationError()
            }
            var outcomes: [Outcome] = []
            var running = 1
            while running > 0, let event = try await group.next() {
                switch event {
                case .slow:
                    guard let second else { continue }
                    second.observer(second.file, .hedging(url: FetchError.shown(second.url)))
                    running += 1
                    group.addTask { try await hedge(second, part) }
                case .ended(let outcome):
                    running -= 1
                    outcomes.append(outcome)
                    if outcome.error == nil { return outcomes }
                case .missed: running -= 1
                }
            }
            return outcomes
        }
    }

    private func read(_ reader: SourceReader, _ part: Part, _ gauge: SpeedGauge?) async throws -> Outcome {
        var part = part
        do {
            try await reader.complete(&part, gauge: gauge)
            return Outcome(url: reader.url, part: part, error: nil)
        } catch let error as FetchError {
            return Outcome(url: reader.url, part: part, error: error)
        }
    }

    private func hedge(_ reader: SourceReader, _ part: Part) async throws -> Event {
        let copy: Part
        do {
            copy = try await part.copied(to: place)
        } catch is FetchError {
            return .missed
        }
        return .ended(try await read(reader, copy, nil))
    }
}
