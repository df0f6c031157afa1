// SPDX-License-Identifier: Apache-2.0
import NodeOS
import Synchronization

/// Keeps what has happened to devices, and to what was true, until the pipeline asks, and ends its pauses.
final class Doorbell: Sendable {
    private struct State {
        var events: [DeviceEvent] = []
        /// Whether something that was true may be so no longer.
        var isAlarmed = false
        /// The pause under way.
        var pause: AsyncStream<Void>.Continuation?
    }

    /// Beyond that many, nobody has asked for so long that one for all of them will do.
    private static let limit = 256

    private let state = Mutex(State())

    /// Rings at each event, until there are no more or the task is cancelled.
    func ring(at events: AsyncStream<DeviceEvent>) async {
        for await event in events { ring(event) }
    }

    /// Rings once.
    func ring(_ event: DeviceEvent) {
        state.withLock { state in
            if state.events.count >= Self.limit { state.events = [DeviceEvent(.missed)] }
            state.events.append(event)
            state.pause?.finish()
        }
    }

    /// Rings because something that was true may be so no longer.
    func alarm() {
        state.withLock { state in
            state.isAlarmed = true
            state.pause?.finish()
        }
    }

    /// Whether there was an alarm since this was last asked.
    func takeAlarm() -> Bool {
        state.withLock { state in
            defer { state.isAlarmed = false }
            return state.isAlarmed
        }
    }

    /// What has happened to devices since this was last asked.
    func take() -> [DeviceEvent] {
        state.withLock { state in
            defer { state.events = [] }
            return state.events
        }
    }

    /// Sleeps until the time is up or it rings; not at all when it has rung already.
    ///
    /// - Throws: `CancellationError`.
    func sleep(for duration: Duration, on clock: any Clock<Duration>) async throws {
        let (rings, pause) = AsyncStream.makeStream(of: Void.self)
        let hasRung = state.withLock { state in
            state.pause = pause
            return state.isAlarmed || !state.events.isEmpty
        }
        defer { state.withLock { $0.pause = nil } }
        if hasRung { return }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await clock.sleep(for: duration) }
            group.addTask { for await _ in rings {} }
            try await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
    }
}
