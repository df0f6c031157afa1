// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import Synchronization

/// What ends a program of the simulation.
struct Died: Error {}

/// What becomes of a request.
enum Fate: String, Sendable, CaseIterable {
    case answered
    /// It is done, and nobody hears of it.
    case answerLost
    /// It is not done.
    case refused
    /// It is done, and once more later.
    case repeated

    /// What may become of what crosses a network.
    static let travelling: [Fate] = [.answerLost, .refused, .repeated]
}

/// Lets programs run one at a time, in an order that follows from a seed alone.
///
/// Each program waits for its turn with one request under way. Once all wait, one is chosen, its request is carried out in
/// the world at one instant, and it runs until it waits again. So one seed is one run, whatever the threads do.
final class Turns: Sendable {
    /// A request that waits for its turn.
    struct Waiting: Sendable {
        var program: Int
        var label: String
        /// When its turn may come.
        var due: Duration
        /// What may become of it.
        var fates: [Fate]
        /// Carries it out; what is returned hands the outcome over.
        var run: @Sendable (inout World, Fate) -> @Sendable () -> Void
        /// Carries it out once more, to nobody's knowledge.
        var again: @Sendable (inout World) -> Void
        /// Ends it with the program.
        var die: @Sendable () -> Void
    }

    private struct State {
        var waiting: [Int: Waiting] = [:]
        var running = 0
        var driver: CheckedContinuation<Void, Never>?
        var lives: [Int: Int] = [:]
        var isOver = false
    }

    private let state = Mutex(State())

    /// Notes that programs have been started.
    func began(_ programs: Int) { state.withLock { $0.running += programs } }
    /// Notes that a program is over.
    func ended() { rest() }

    /// The life that a program leads now.
    func life(of program: Int) -> Int { state.withLock { $0.lives[program, default: 0] } }
    /// Whether every program is to end for good.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Waits for a turn, and does something with the world in it.
    func take<Value: Sendable>(
        _ program: Int,
        life: Int,
        _ label: String,
        due: Duration = .zero,
        fates: [Fate] = [],
        lost: any Error = Died(),
        _ body: @escaping @Sendable (inout World) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let waiting = Waiting(
                program: program,
                label: label,
                due: due,
                fates: fates,
                run: { world, fate in
                    if fate == .refused { return { continuation.resume(throwing: lost) } }
                    let result = Result { try body(&world) }
                    if fate == .answerLost { return { continuation.resume(throwing: lost) } }
                    return { continuation.resume(with: result) }
                },
                again: { world in _ = try? body(&world) },
                die: { continuation.resume(throwing: Died()) }
            )
            let isDead = state.withLock { state in
                guard !state.isOver, state.lives[program, default: 0] == life else { return true }
                state.waiting[program] = waiting
                return false
            }
            if isDead { waiting.die() } else { rest() }
        }
    }

    /// Waits until nobody runs; the requests that wait, by program.
    func settled() async -> [Waiting] {
        await withCheckedContinuation { continuation in
            let isQuiet = state.withLock { state in
                if state.running > 0 { state.driver = continuation }
                return state.running == 0
            }
            if isQuiet { continuation.resume() }
        }
        return state.withLock { $0.waiting.values.sorted { $0.program < $1.program } }
    }

    /// Gives a program that waits its turn.
    func give(_ waiting: Waiting, in world: inout World, _ fate: Fate) {
        state.withLock { state in
            state.waiting[waiting.program] = nil
            state.running += 1
        }
        let handOver = waiting.run(&world, fate)
        handOver()
    }

    /// Ends a program's life; it begins another one.
    func kill(_ program: Int) {
        let waiting = state.withLock { state in
            state.lives[program, default: 0] += 1
            let waiting = state.waiting.removeValue(forKey: program)
            if waiting != nil { state.running += 1 }
            return waiting
        }
        waiting?.die()
    }

    /// Ends every program for good.
    func finish() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [:] }
            state.running += state.waiting.count
            return state.waiting.values.map(\.die)
        }
        for die in waiting { die() }
    }

    /// One program less runs; the last lets the next turn begin.
    private func rest() {
        let driver = state.withLock { state in
            state.running -= 1
            guard state.running == 0 else { return nil as CheckedContinuation<Void, Never>? }
            defer { state.driver = nil }
            return state.driver
        }
        driver?.resume()
    }
}
