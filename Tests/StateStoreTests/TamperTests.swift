// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeTesting
import Testing

@testable import StateStore

/// A published cluster that an attacker with write permission does everything to.
@Suite struct TamperTests {
    /// Each way with many seeds: a machine reads what is in force, or nothing, and says which.
    @Test(arguments: Tampering.all) func nothingTamperedIsFollowed(_ tampering: Tampering) async throws {
        let scene = try await TamperScene()
        for seed in Seeded.seeds(250) {
            var random = Seeded(seed)
            let followed = try #require(scene.followed[Int.random(in: tampering.after, using: &random)])
            var store = scene.store
            try tampering.change(&store, scene, followed, &random)
            let outcome = await outcome(scene, store, followed)
            guard tampering.codes.isEmpty ? outcome == "in force" : tampering.codes.contains(outcome) else {
                Issue.record("\(random), after generation \(followed.number): \(outcome)")
                return
            }
        }
        // What was refused left nothing behind: the machine still follows what is right.
        for followed in scene.followed.values { #expect(await outcome(scene, scene.store, followed) == "in force") }
    }

    private func outcome(_ scene: TamperScene, _ store: FrozenStore, _ followed: FollowedGeneration) async -> String {
        do {
            let objects = try await scene.read(store, after: followed)
            return objects == scene.expected ? "in force" : "something else was followed"
        } catch let error as GenerationError {
            return error.code
        } catch {
            return (error as? StoreError)?.code ?? "\(error)"
        }
    }

    @Test func theWaysAreDistinctAndMany() {
        #expect(Set(Tampering.all.map(\.testDescription)).count == Tampering.all.count)
        #expect(Tampering.all.count * 250 >= 10_000)
    }

    /// To the second, and not at all when its end cannot be read.
    @Test func anExpiredKeyIsBelievedNoMore() async throws {
        let store = MemoryStore()
        let layout = ClusterLayout(clusterName: "a.example.com")
        let end = Date(timeIntervalSince1970: 1_700_000_000)
        let key = SigningKey(notAfter: end)
        try await GenerationWriter(store: store, layout: layout, signers: [key], author: "a@b")
            .publish(objects: ["o": [1]], previous: nil, message: "m", now: end)
        func code(at time: Date, _ trusted: TrustedKey) async -> String? {
            let trust = HeadTrust([trusted], now: { time })
            let error = await #expect(throws: GenerationError.self) {
                _ = try await GenerationReader(store: store, layout: layout, trust: trust).current()
            }
            return error?.code
        }
        let trust = HeadTrust([key.trusted], now: { end.addingTimeInterval(-1) })
        #expect(try await GenerationReader(store: store, layout: layout, trust: trust).current().number == 1)
        #expect(await code(at: end, key.trusted) == "generation-key-expired")
        var unreadable = key.trusted
        unreadable.notAfter = "never"
        #expect(await code(at: end.addingTimeInterval(-1), unreadable) == "generation-key-expired")
    }
}
