// SPDX-License-Identifier: Apache-2.0
import Fetch
import NodeOS
import Synchronization
import Testing

@testable import EtcdManager

/// A migration loses nobody's keys, and says why it does not go on.
@Suite(.serialized, .enabled(if: EtcdBinaries.isEnabled, "\(EtcdBinaries.remedy)"), .timeLimit(.minutes(5)))
struct MigrationRefusalTests {
    @Test func keysOfOthersAreLeftAlone() async throws {
        try await MigrationScene.run { scene in
            let (gateway, a) = (scene.cluster.gateway, scene.cluster.endpoint("a"))
            try await scene.fill(300)
            // There before the beginning.
            try await gateway.put([1], [1], at: a)
            try await expect("migration-foreign-keys") { try await scene.migration.run() }
            #expect(await scene.record.state == nil)
            #expect(try await scene.copies().count == 1)
            try await gateway.deletePrefix([1], at: a)

            // Written meanwhile, one of them where a copy is to be, one where a copy is.
            let late = Array("/registry/pods/n20/20".utf8)
            scene.http.setHook { call in
                guard call.path == EtcdMigrationTests.transactions, call.numberOfPath == 1, !call.isAnswered else {
                    return
                }
                try await gateway.put(late, [7], at: a)
            }
            try await expect("migration-foreign-keys") { try await scene.migration.run() }
            scene.http.setHook(nil)
            #expect(try await scene.copies()[late]?.value == [7])
            try await gateway.deletePrefix(late, at: a)
            try await scene.migration.run()
            try await gateway.put(late, [8], at: a)
            try await expect("migration-foreign-keys") { try await scene.migration.switchOver() }
            #expect(await scene.record.state?.phase == .copying)

            // Going back deletes copies, and nothing else.
            try await scene.migration.rollBack()
            let left = try await scene.copies()
            #expect(left.count == 1 && left[late]?.value == [8])
        }
    }

    @Test func whatChangesMeanwhileIsCopiedAgain() async throws {
        try await MigrationScene.run { scene in
            try await scene.fill(300)
            scene.http.setHook { call in
                guard call.path == EtcdMigrationTests.transactions, call.numberOfPath == 1, call.isAnswered else {
                    return
                }
                try await scene.put("/registry/pods/n1/1", "changed")
                try await scene.put("/registry/pods/n0/0", "lasting")
                try await scene.put("/registry/pods/n2/2", "expiring", seconds: 700)
                try await scene.put("/registry/new", "new")
                try await scene.delete("/registry/pods/n3/3")
            }
            try await scene.migration.run()
            scene.http.setHook(nil)
            try await scene.expectEqual()
            #expect(try await scene.copies()[Array("/registry/pods/n3/3".utf8)] == nil)
            // Also after it was verified.
            try await scene.put("/registry/newer", "newer")
            try await scene.delete("/registry/new")
            try await scene.migration.switchOver()
            try await scene.expectEqual(isSwitched: true)
            #expect(try await scene.copies().count == 300)
        }
    }

    @Test func whatNeverRestsIsNotVerified() async throws {
        try await MigrationScene.run { scene in
            try await scene.fill(50)
            scene.http.setHook { call in
                guard call.path == "/v2/keys", call.isAnswered else { return }
                try await scene.put("/registry/clock", "\(call.number)")
            }
            try await expect("migration-source-changes") { try await scene.migration.run() }
            #expect(await scene.record.state?.phase == .copying)
            scene.http.setHook(nil)
            try await scene.migration.run()
            try await scene.expectEqual()
        }
    }

    @Test func keysThatExpireMeanwhileHinderNothing() async throws {
        try await MigrationScene.run { scene in
            try await scene.fill(50)
            for number in 0..<30 { try await scene.put("/events/\(number)", "1", seconds: 1 + number / 3) }
            while try await scene.cluster.gateway.v2Snapshot(at: scene.cluster.endpoint("a")).entries.count > 50 {
                try await scene.migration.run()
                // Never sooner than the original: what that still has later, there is a copy of now.
                let copies = try await scene.copies()
                let original = try await scene.cluster.gateway.v2Snapshot(at: scene.cluster.endpoint("a"))
                #expect(original.entries.keys.allSatisfy { copies[$0] != nil })
            }
            try await scene.migration.switchOver()
            try await scene.expectEqual(isSwitched: true)
        }
    }

    @Test func aTransactionThatComesTooLateChangesNothing() async throws {
        try await MigrationScene.run { scene in
            try await scene.put("/registry/one", "1")
            let held = Mutex<HTTPRequest?>(nil)
            scene.http.setHook { call in
                guard call.path == EtcdMigrationTests.transactions else { return }
                held.withLock { $0 = call.request }
                throw Crash()
            }
            do { try await scene.migration.run() } catch is Crash {}
            scene.http.setHook(nil)
            try await scene.migration.run()
            try await scene.delete("/registry/one")
            try await scene.migration.run()
            let request = try #require(held.withLock { $0 })
            // All it depends on holds again, but the fence.
            #expect(try await scene.cluster.http.send(request).status == 200)
            try await scene.expectEqual()
            try await scene.migration.switchOver()
            #expect(try await scene.cluster.http.send(request).status == 200)
            #expect(try await scene.copies().isEmpty)
        }
    }

    @Test func whatVersionThreeCannotHoldIsNamed() async throws {
        try await MigrationScene.run { scene in
            try await scene.put("/large", String(repeating: "x", count: 1_600_000))
            try await expect("migration-value-too-large") { try await scene.migration.run() }
            try await scene.delete("/large")
            // What etcd writes for a byte that is no text.
            try await scene.put("/binary", "\u{FFFD}")
            try await expect("migration-value-not-text") { try await scene.migration.run() }
            try await scene.migration.rollBack()
            try await scene.expectUntouched()
        }
    }

    @Test func anotherClustersRecordIsRefused() async throws {
        try await MigrationScene.run { scene in
            await scene.record.set(MigrationState(phase: .copying, clusterID: 7))
            try await expect("migration-other-cluster") { try await scene.migration.run() }
            try await expect("migration-other-cluster") { try await scene.migration.rollBack() }
            await scene.record.set(nil)
            try await expect("migration-not-begun") { try await scene.migration.switchOver() }
        }
    }

    @Test func whereThereIsNoVersionTwoThereIsNothingToDo() async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: 5), members: 1) { cluster in
            let record = FakeMigrationRecord()
            let endpoints = [cluster.endpoint("a")]
            let migration = EtcdMigration(gateway: cluster.gateway, endpoints: endpoints, record: record)
            try await expect("migration-no-v2") { try await migration.run() }
            #expect(await record.state == nil)
        }
    }

    private func expect(
        _ code: String,
        _ location: SourceLocation = #_sourceLocation,
        _ body: @Sendable () async throws -> Void
    ) async throws {
        do {
            try await body()
            Issue.record("it was done", sourceLocation: location)
        } catch let failure as Failure {
            #expect(failure.code == code, "\(failure)", sourceLocation: location)
        }
    }
}
