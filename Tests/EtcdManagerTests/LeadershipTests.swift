// SPDX-License-Identifier: Apache-2.0
import StateStore
import Testing

@testable import EtcdManager

/// Who leads, look by look, on clocks of their own.
@Suite struct LeadershipTests {
    private let registers: StoreRegisters = {
        let store = MemoryStore()
        return StoreRegisters(layout: BackupScene.layout, etcdCluster: "main") { store }
    }()

    /// Both look each five seconds for so many looks; who led at each.
    private func looks(
        _ count: Int,
        from began: Duration = .zero,
        _ one: inout Leadership,
        _ other: inout Leadership,
        oneHears: Bool
    ) async throws -> [String] {
        var led: [String] = []
        for look in 0..<count {
            let now = began + .seconds(5 * look)
            try await one.pursue(registers, now: { now })
            try await other.pursue(registers, now: { now })
            let leaders = [("one", one), ("other", other)].filter { $0.1.token(at: now) != nil }.map(\.0)
            led.append(leaders.joined(separator: " and "))
            if one.token(at: now) != nil { one.note(hears: oneHears, at: now) }
            if other.token(at: now) != nil { other.note(hears: true, at: now) }
        }
        return led
    }

    @Test func whoeverLeadsGoesOnWhileItHearsMembers() async throws {
        var (one, other) = (Leadership(holder: "one"), Leadership(holder: "other"))
        let led = try await looks(100, &one, &other, oneHears: true)
        #expect(Set(led) == ["one"])
    }

    @Test func whoeverHearsNobodyLeavesTheLeaseToOthers() async throws {
        var (one, other) = (Leadership(holder: "one"), Leadership(holder: "other"))
        let led = try await looks(100, &one, &other, oneHears: false)
        let resigned = try #require(led.firstIndex { $0 != "one" })
        #expect(.seconds(5 * resigned) >= Leadership.patience)
        let taken = try #require(led.firstIndex(of: "other"))
        #expect(.seconds(5 * (taken - resigned)) <= LeaderLease.length + .seconds(5))
        #expect(Set(led[taken...]) == ["other"], "whoever leads well keeps the lease")
    }

    @Test func whereNobodyHearsAnybodyOneLeadsAgain() async throws {
        var (one, other) = (Leadership(holder: "one"), Leadership(holder: "other"))
        var began = Duration.zero
        // The other machine is away all the while.
        for _ in 0..<3 {
            for look in 0..<60 {
                let now = began + .seconds(5 * look)
                try await one.pursue(registers, now: { now })
                if one.token(at: now) != nil { one.note(hears: false, at: now) }
            }
            began += .seconds(300)
            let now = began
            try await one.pursue(registers, now: { now })
        }
        let later = began + Leadership.rest
        try await one.pursue(registers, now: { later })
        #expect(one.token(at: later) != nil)
        try await other.pursue(registers, now: { later })
        #expect(other.token(at: later) == nil)
    }
}
