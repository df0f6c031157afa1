// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Protokube

@Suite struct SidelineTests {
    @Test func whatIsAddedIsDoneInItsOrderBesideWhoAddsIt() async {
        let sideline = Sideline()
        let (numbers, number) = AsyncStream.makeStream(of: Int.self)
        for index in 0..<3 { sideline.add { number.yield(index) } }
        sideline.add { number.finish() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await sideline.run() }
            var found: [Int] = []
            for await number in numbers { found.append(number) }
            #expect(found == [0, 1, 2])
            group.cancelAll()
        }
    }
}

@Suite struct AlarmTests {
    let clock = ContinuousClock()

    @Test func aRingEndsAPauseAndTheNextWhereThereIsNone() async throws {
        let alarm = Alarm()
        async let pause = alarm.sleep(for: .seconds(3600), on: clock)
        alarm.ring()
        #expect(try await pause)
        alarm.ring()
        #expect(try await alarm.sleep(for: .seconds(3600), on: clock))
        #expect(try await !alarm.sleep(for: .milliseconds(1), on: clock), "each ring counts once")
    }

    @Test func cancellingEndsIt() async throws {
        let alarm = Alarm()
        let sleeper = Task { try await alarm.sleep(for: .seconds(3600), on: ContinuousClock()) }
        sleeper.cancel()
        _ = await sleeper.result
    }
}
