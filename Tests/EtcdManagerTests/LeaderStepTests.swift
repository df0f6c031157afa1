// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import EtcdManager

/// What a leader does next, and above all that nothing is waited for in vain.
@Suite struct LeaderStepTests {
    private var spec = EtcdSpec(
        clusterName: "c",
        etcdCluster: "main",
        members: ["a", "b", "c"],
        peerURLPattern: "https://*.example:2380",
        release: "3.5.30"
    )
    private var view = MembershipView.threeMembers("3.5.30")

    private func next() -> LeaderStep? { LeaderStep.next(view, spec: spec, command: nil, token: 1) }

    @Test func whereAllIsAsDeclaredNothingIsDone() { #expect(next() == nil) }

    /// All trust the wrong authority and know no leader: each owes the restart that mends it.
    @Test mutating func withoutAQuorumMembersRestartInTurnAllTheSame() {
        for name in ["a", "b", "c"] {
            view.reports[name]?.isCurrent = false
            view.statuses[name]?.leader = 0
        }
        #expect(next() == nil, "it may be an election")
        view.stalled = ["a", "b", "c"]
        #expect(next() == .beginRestart(member: "a"))
        view.record.operation = .restart(member: "a")
        #expect(SafetyRules.all.allow(.restart(member: "a", view: view)))
        #expect(!SafetyRules.all.allow(.restart(member: "b", view: view)), "in turn")
        view.reports["a"]?.isCurrent = true
        view.stalled = ["b", "c"]
        #expect(next() == nil, "it is given the time to serve")
        view.stalled = ["a", "b", "c"]
        #expect(next() == .endRestart(member: "a"), "it cannot serve before the others have followed")
    }

    /// What does not answer may be gone for good, and would keep its turn.
    @Test mutating func whoIsNotReachedGetsNoTurn() {
        view.reports["c"]?.isCurrent = false
        view.statuses["c"] = nil
        #expect(next() == nil)
        view.statuses["c"] = .of(3, leader: 0)
        #expect(next() == .beginRestart(member: "c"), "a quorum is without it")
    }

    @Test mutating func whoIsNotDeclaredAnyMoreIsLetGoDuringItsTurn() {
        view.record.operation = .restart(member: "c")
        view.reports["c"]?.isCurrent = false
        view.statuses["c"] = nil
        #expect(next() == nil)
        spec.members = ["a", "b"]
        #expect(next() == .beginRemoval(member: "c"))
    }

    /// Each would wait for the other: who joins for all to serve, the lost one for the joining to end.
    @Test mutating func aJoiningThatHasNotBegunMakesWayForOneThatIsLost() {
        spec.members = ["a", "b", "c", "d", "e"]
        view.record.members["d"] = MemberRecord(incarnation: 4, state: .joining, machine: "machine-d")
        view.record.operation = .join(member: "d")
        view.reports["d"] = .of("d", .none)
        #expect(next() == .addLearner(member: "d"))
        view.statuses["c"] = nil
        view.reports["c"] = .of("c", .none)
        #expect(next() == .recordRemoval(member: "d"))
        view.record = LeaderStep.recordRemoval(member: "d").record(after: view.record, token: 1) ?? view.record
        #expect(next() == .beginRemoval(member: "c"))
    }

    @Test mutating func aVolumeThatHasMovedJoinsFromWhereItIs() {
        spec.members = ["a", "b", "c", "d"]
        view.record.members["d"] = MemberRecord(incarnation: 4, state: .joining, etcdID: 4, machine: "machine-x")
        view.record.operation = .join(member: "d")
        view.reports["d"] = .of("d", .none)
        view.listed?.append(
            EtcdMember(id: 4, name: "", peerURLs: ["https://d.example:2380"], clientURLs: [], isLearner: true)
        )
        #expect(next() == .beginRemoval(member: "d"))
        view.reports["d"]?.incarnation = 4
        #expect(next() == nil, "it was made ready, and moved then")
    }

    /// It would be added, never be made ready, and hold everything up.
    @Test mutating func whoseVolumeHoldsUnknownDataDoesNotJoin() {
        spec.members = ["a", "b", "c", "d"]
        view.reports["d"] = .of("d", .foreign)
        #expect(next() == nil)
        view.reports["d"] = .of("d", .stale)
        #expect(next() == .beginJoin(member: "d", machine: "machine-d"))
    }

    @Test func whoeverIsRecordedHasAPeerURLDeclaredOrNot() {
        #expect(spec.peerURLs(of: ["a", "z"]) == ["a": "https://a.example:2380", "z": "https://z.example:2380"])
        #expect(
            EtcdSpec(clusterName: "c", etcdCluster: "main", members: [], peerURLs: ["a": "u"]).peerURLs(of: ["a", "z"])
                == ["a": "u"]
        )
    }

    @Test mutating func anElectionIsNoStall() {
        var watch = StallWatch()
        view.statuses["c"]?.leader = 0
        for second in 0..<59 { #expect(watch.look(view, at: .seconds(second)).isEmpty) }
        #expect(watch.look(view, at: .seconds(60)) == ["c"])
        view.statuses["c"]?.leader = 1
        #expect(watch.look(view, at: .seconds(61)).isEmpty)
        // A machine that stood still itself has seen nothing meanwhile.
        view.statuses["c"]?.leader = 0
        _ = watch.look(view, at: .seconds(62))
        #expect(watch.look(view, at: .seconds(600)).isEmpty)
    }
}
