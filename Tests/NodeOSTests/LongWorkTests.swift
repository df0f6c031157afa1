// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import NodeOS

/// What is heard of work that may take long.
@Suite struct LongWorkTests {
    /// Notes limits as they begin, and how many works are under way.
    private final class Listener: Sendable {
        private let state = Mutex<(limits: [Duration], open: Int)>(([], 0))
        var limits: [Duration] { state.withLock { $0.limits } }
        var open: Int { state.withLock { $0.open } }

        func begins(_ limit: Duration) -> @Sendable () -> Void {
            state.withLock { state in
                state.limits.append(limit)
                state.open += 1
            }
            return { [self] in state.withLock { $0.open -= 1 } }
        }
    }

    private let listener = Listener()

    private func heard(_ body: nonisolated(nonsending) () async throws -> Void) async rethrows {
        try await LongWork.heard(by: { [listener] in listener.begins($0) }, body)
        #expect(listener.open == 0)
    }

    @Test func aCommandSaysHowLongItMayTake() async throws {
        try await heard {
            try await SubprocessRunner().run(Command("true", timeout: .seconds(1800)))
            let missing = await code { try await SubprocessRunner().run(Command("no-such-program")) }
            #expect(missing == "command-not-found")
        }
        #expect(listener.limits == [.seconds(1800), .seconds(120)])
    }

    @Test func aUnitsJobSaysHowLongItMayTake() async throws {
        try await heard {
            try await FakeSystemd().serve { try await $0.change("a.service", .start) }
        }
        #expect(listener.limits == [.seconds(20)])
    }

    @Test func whatChildTasksDoIsHeardToo() async throws {
        await heard {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { await LongWork.within(.seconds(5)) {} } }
            }
            await LongWork.within(.seconds(7)) { [listener] in #expect(listener.open == 1) }
        }
        #expect(listener.limits == [.seconds(5), .seconds(5), .seconds(5), .seconds(7)])
    }

    @Test func whereNobodyListensWorkIsDoneAllTheSame() async throws {
        struct Odd: Error {}
        #expect(await LongWork.within(.seconds(5)) { 7 } == 7)
        await #expect(throws: Odd.self) { try await LongWork.within(.seconds(5)) { throw Odd() } }
    }
}
