// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import Testing

@testable import EtcdManager

/// Version 2 keys of a real etcd 3.4 are copied to version 3.
@Suite(.serialized, .enabled(if: EtcdBinaries.isEnabled, "\(EtcdBinaries.remedy)"), .timeLimit(.minutes(10)))
struct EtcdMigrationTests {
    /// `ETCD_MIGRATION_KEYS` sets how many keys the large one has.
    static let keys = ProcessInfo.processInfo.environment["ETCD_MIGRATION_KEYS"].flatMap { Int($0) } ?? 2000
    static let transactions = "/v3/kv/txn"

    @Test func everyKeyIsCopiedWhileAMemberIsKilled() async throws {
        try await MigrationScene.run { scene in
            let clock = ContinuousClock()
            let filling = try await clock.measure { try await scene.fill(Self.keys) }
            let begun = Date()
            // The member that is asked dies in the midst of it.
            let middle = max(2, Self.keys / 126 / 2)
            scene.http.setHook { call in
                guard call.path == Self.transactions, call.numberOfPath == middle, !call.isAnswered else { return }
                await scene.cluster.kill("a")
            }
            let copying = try await clock.measure { try await scene.migration.run() }
            scene.http.setHook(nil)
            print("\(Self.keys) keys were written in \(filling) and copied in \(copying)")
            #expect(await !scene.cluster.isRunning("a"))
            #expect(await scene.record.phases == [.planned, .copying, .verified])
            #expect(await scene.record.state?.keys == Self.keys)
            try await scene.expectEqual()
            try await expectLeasesInBounds(scene, begun: begun)

            try await scene.cluster.start("a")
            try await scene.migration.switchOver()
            #expect(await scene.record.state?.phase == .switched)
            #expect(try await scene.copies().count == Self.keys)
            try await scene.expectEqual(isSwitched: true)
            let failure = await #expect(throws: Failure.self) { try await scene.migration.rollBack() }
            #expect(failure?.code == "migration-switched")
            // What version 3 is changed to from now on is its own.
            try await scene.cluster.gateway.put([1], [1], at: scene.cluster.endpoint("a"))
            try await scene.migration.run()
            try await scene.migration.switchOver()
            #expect(try await scene.copies().count == Self.keys + 1)
        }
    }

    @Test(arguments: EtcdBinaries.minors) func whateverIsTextIsCopiedAsItIs(minor: Int) async throws {
        try await MigrationScene.run(minor: minor) { scene in
            // Two keys that only look alike, and values of every kind.
            let values = [
                ("/caf\u{E9}", "one"), ("/cafe\u{301}", "two"), ("/empty", ""),
                ("/a b/\"c\"\\", "\u{0}\n\t\"\\<&>\u{1F600}"), ("/large", String(repeating: "x", count: 1_200_000)),
            ]
            for (key, value) in values { try await scene.put(key, value) }
            try await scene.putDirectory("/soon", seconds: 900)
            try await scene.put("/soon/below", "1")
            try await scene.put("/soon/earlier", "1", seconds: 300)
            let begun = Date()
            try await scene.migration.run()
            let copies = try await scene.copies().filter { $0.key.first == UInt8(ascii: "/") }
            #expect(copies.count == 7)
            for (key, value) in values {
                #expect(copies[Array(key.utf8)]?.value == Array(value.utf8))
            }
            try await scene.expectEqual()
            try await expectLeasesInBounds(scene, begun: begun)
            #expect(Set(copies.values.map(\.lease)).count == 3)
        }
    }

    @Test func itGoesOnAfterACrashAtAnyRequest() async throws {
        try await MigrationScene.run { scene in
            try await scene.fill(300)
            var isThrough = false
            var point = 0
            while !isThrough {
                point += 1
                let crash = point
                scene.http.setHook { call in
                    // Odd ones before the request is sent, even ones after it was answered.
                    if call.number == (crash + 1) / 2, call.isAnswered == (crash % 2 == 0) { throw Crash() }
                }
                do {
                    try await scene.migration.switchOver(beginning: true)
                    isThrough = true
                } catch is Crash {}
                scene.http.setHook(nil)
                if await scene.record.state?.phase != .switched {
                    try await scene.migration.run()
                    try await scene.expectEqual()
                }
                try await scene.migration.switchOver()
                try await scene.expectEqual(isSwitched: true)
                try await scene.reset()
            }
            #expect(point > 30)
        }
    }

    @Test func itGoesOnAfterACrashAtEveryPhase() async throws {
        try await MigrationScene.run { scene in
            try await scene.fill(300)
            for (number, phase) in MigrationState.Phase.allCases.enumerated() {
                for isAfter in [false, true] {
                    // Switching compares once more, so it writes two phases again before its own.
                    await scene.record.crash(atWrite: phase == .switched ? 6 : number + 1, isAfter: isAfter)
                    await #expect(throws: Crash.self) {
                        try await scene.migration.switchOver(beginning: true)
                    }
                    await scene.record.crash(atWrite: nil)
                    if isAfter { #expect(await scene.record.state?.phase == phase) }
                    try await scene.migration.run()
                    try await scene.migration.switchOver()
                    try await scene.expectEqual(isSwitched: true)
                    try await scene.reset()
                }
            }
        }
    }

    @Test func itIsRolledBackFromAnywhere() async throws {
        try await MigrationScene.run { scene in
            try await scene.fill(300)
            let before = try await scene.cluster.gateway.v2Snapshot(at: scene.cluster.endpoint("a"))
            // Nothing to do.
            try await scene.migration.rollBack()
            for phase in [MigrationState.Phase.planned, .copying, .verified] {
                scene.http.setHook { call in
                    if phase == .copying, call.path == Self.transactions, call.numberOfPath == 3 { throw Crash() }
                }
                await scene.record.crash(atWrite: phase == .planned ? 1 : nil, isAfter: true)
                do { try await scene.migration.run() } catch is Crash {}
                scene.http.setHook(nil)
                await scene.record.crash(atWrite: nil)
                #expect(await scene.record.state?.phase == phase)
                // Crashes of its own do no harm either.
                for number in 1...6 {
                    scene.http.setHook { call in if call.number == number, call.isAnswered { throw Crash() } }
                    do { try await scene.migration.rollBack() } catch is Crash {}
                }
                scene.http.setHook(nil)
                try await scene.migration.rollBack()
                try await scene.expectUntouched()
            }
            let after = try await scene.cluster.gateway.v2Snapshot(at: scene.cluster.endpoint("a"))
            #expect(after.index == before.index && after.entries.count == 300)
        }
    }

    private func expectLeasesInBounds(
        _ scene: MigrationScene,
        begun: Date,
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let (gateway, c) = (scene.cluster.gateway, scene.cluster.endpoint("c"))
        let original = try await gateway.v2Snapshot(at: c)
        for second in Set(original.entries.values.compactMap { $0.expiry?.second }) {
            guard let lease = try await gateway.lease(MigrationMarker.lease(expiring: second), at: c) else {
                Issue.record("no lease ends at \(second)", sourceLocation: location)
                continue
            }
            let left = second - Int64(Date().timeIntervalSince1970)
            // Read before, so it may only be more; a new leader counts from the granted time anew.
            #expect((left - 2...lease.granted).contains(lease.remaining), sourceLocation: location)
            #expect(lease.granted <= second - Int64(begun.timeIntervalSince1970) + 2, sourceLocation: location)
        }
    }
}

extension EtcdMigration {
    /// From the beginning to the end.
    func switchOver(beginning: Bool) async throws {
        try await run()
        try await switchOver()
    }
}

extension MigrationScene {
    /// Makes version 3 empty for another go.
    func reset() async throws {
        let (gateway, c) = (cluster.gateway, cluster.endpoint("c"))
        try await gateway.deletePrefix([], at: c)
        for id in try await gateway.leases(at: c) { try await gateway.revokeLease(id, at: c) }
        await record.set(nil)
    }
}
