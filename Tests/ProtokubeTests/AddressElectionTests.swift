// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import Testing

@testable import Protokube

@Suite struct AddressElectionTests {
    @Test(
        "never on two live machines, whatever stands still, is cut off or starts again",
        arguments: [3, 5]
    )
    func neverTwice(count: Int) {
        var moves = 0
        for seed in Seeded.seeds(150) {
            var world = AddressWorld(count, isTroubled: true, seed: seed)
            world.run(until: .seconds(300))
            #expect(world.violations == [], "TEST_SEED=\(seed)")
            moves += world.moves
        }
        #expect(moves > 150, "a world in which nothing happens proves nothing")
    }

    @Test("when its machine dies another has it within 15 s, after whatever went before")
    func takeover() throws {
        for seed in Seeded.seeds(150) {
            var world = AddressWorld(3, isTroubled: true, seed: seed)
            world.run(until: .seconds(60))
            world.heal()
            world.run(until: .seconds(80))
            let first = try #require(world.holder, "TEST_SEED=\(seed)")
            world.kill(first)
            world.run(until: .seconds(95), orUntil: { $0.holder.map { $0 != first } ?? false })
            #expect(world.holder.map { $0 != first } == true, "TEST_SEED=\(seed)")
            #expect(world.violations == [], "TEST_SEED=\(seed)")
        }
    }

    @Test("without trouble it comes at once and stays where it is")
    func calm() {
        for seed in Seeded.seeds(50) {
            var world = AddressWorld(3, isTroubled: false, seed: seed)
            world.run(until: .seconds(5))
            let first = world.holder
            #expect(first != nil)
            world.run(until: .seconds(600))
            #expect(world.holder == first && world.moves == 1, "TEST_SEED=\(seed)")
        }
    }

    private func lease(_ holder: String, version: String) -> AddressLease {
        AddressLease(holder: holder, acquired: "then", version: version)
    }

    @Test("another's Lease is left alone until nothing changed for as long as it lasts by the own clock")
    func patience() {
        var election = AddressElection(identity: "me")
        #expect(election.read(lease("other", version: "1"), at: .seconds(100)) == nil)
        #expect(election.nextLook(after: .seconds(100)) == .seconds(102))
        #expect(election.read(lease("other", version: "2"), at: .seconds(109)) == nil)
        #expect(election.read(lease("other", version: "2"), at: .seconds(118)) == nil)
        #expect(election.nextLook(after: .seconds(118)) == .seconds(119), "not later than it goes stale")
        let claim = election.read(lease("other", version: "2"), at: .seconds(119))
        #expect(claim == AddressLease(holder: "me", transitions: 1, version: "2"))
        #expect(election.tenure(at: .seconds(119)) == nil, "not before the API server has agreed")
    }

    @Test("what was given back is taken at once, and tenure counts from before it was asked for")
    func tenure() {
        var election = AddressElection(identity: "me")
        let claim = election.read(lease("", version: "7"), at: .seconds(1))
        #expect(claim == AddressLease(holder: "me", transitions: 1, version: "7"))
        election.wrote(lease("me", version: "8"), asked: .seconds(1), at: .seconds(2))
        #expect(election.tenure(at: .seconds(2)) == 5)
        #expect(election.tenure(at: .seconds(6)) == 1)
        #expect(election.tenure(at: .seconds(7)) == nil)
        #expect(election.resignation == lease("", version: "8"))
        #expect(election.read(lease("other", version: "9"), at: .seconds(3)) == nil)
        #expect(election.tenure(at: .seconds(3)) == nil, "somebody else has it")
        #expect(election.resignation == nil)
    }

    @Test("of a Lease that was removed, those who knew it think as of one that is held")
    func removed() {
        var first = AddressElection(identity: "first")
        #expect(first.read(nil, at: .zero) == AddressLease(holder: "first"), "a cluster that begins")
        var other = AddressElection(identity: "other")
        #expect(other.read(lease("first", version: "1"), at: .seconds(1)) == nil)
        #expect(other.read(nil, at: .seconds(3)) == nil)
        #expect(other.read(nil, at: .seconds(12)) == nil)
        #expect(other.read(nil, at: .seconds(13)) == AddressLease(holder: "other"))
        // Its holder need not wait.
        first.wrote(lease("first", version: "1"), asked: .zero, at: .zero)
        #expect(first.read(nil, at: .seconds(3)) == AddressLease(holder: "first"))
    }
}
