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
