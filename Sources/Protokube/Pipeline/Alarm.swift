// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Ends a pipeline's pause before its time.
final class Alarm: Sendable {
    private struct State {
        var isRung = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Ends the pause, or the next one where there is none.
    func ring() { wake { $0.isRung = true } }

    /// Sleeps for a time at most; whether it was rung.
    ///
    /// - Throws: `CancellationError`.
    func sleep(for duration: Duration, on clock: any Clock<Duration>) async throws -> Bool {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await clock.sleep(for: duration) }
            group.addTask { await self.rung() }
            defer { group.cancelAll() }
            try await group.next()
        }
        return state.withLock { state in
            defer { state.isRung = false }
            return state.isRung
        }
    }

    private func rung() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { sleeper in
                let isOver = state.withLock { state in
                    if state.isRung || Task.isCancelled { return true }
                    state.sleeper = sleeper
                    return false
                }
                if isOver { sleeper.resume() }
            }
        } onCancel: {
            wake { _ in }
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let sleeper = state.withLock { state in
            change(&state)
            defer { state.sleeper = nil }
            return state.sleeper
        }
        sleeper?.resume()
    }
}
