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
    private var view: MembershipView

    /// Three members of which all serve, and a leads etcd.
    init() {
        var record = ClusterRecord(clusterName: "c", etcdCluster: "main", id: "1", founder: "a")
        record.fence = 1
        record.release = "3.5.30"
        view = MembershipView(record: record)
        view.record.members = [:]
        view.listed = []
        for (number, name) in ["a", "b", "c"].enumerated() {
            let id = UInt64(number + 1)
            view.record.members[name] = MemberRecord(incarnation: number + 1, state: .voter, etcdID: id)
            view.reports[name] = Self.report(name, .good, incarnation: number + 1, isRunning: true)
            view.statuses[name] = Self.status(id, leader: 1)
            view.listed?.append(
                EtcdMember(
                    id: id,
                    name: name,
                    peerURLs: ["https://\(name).example:2380"],
                    clientURLs: [],
                    isLearner: false
                )
            )
        }
    }

    private static func report(
        _ name: String,
        _ data: MemberReport.Data,
        incarnation: Int? = nil,
        isRunning: Bool = false
    ) -> MemberReport {
        MemberReport(
            machine: "machine-\(name)",
            address: name,
            clientURL: name,
            data: data,
            incarnation: incarnation,
            isRunning: isRunning
        )
    }

    private static func status(_ id: UInt64, leader: UInt64) -> EtcdStatus {
        EtcdStatus(
            version: "3.5.30",
            clusterID: 1,
            memberID: id,
            leader: leader,
            revision: 1,
            raftIndex: 1,
            raftAppliedIndex: 1,
            isLearner: false
        )
    }

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
        view.statuses["c"] = Self.status(3, leader: 0)
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
        view.reports["d"] = Self.report("d", .none)
        #expect(next() == .addLearner(member: "d"))
        view.statuses["c"] = nil
        view.reports["c"] = Self.report("c", .none)
        #expect(next() == .recordRemoval(member: "d"))
        view.record = LeaderStep.recordRemoval(member: "d").record(after: view.record, token: 1) ?? view.record
        #expect(next() == .beginRemoval(member: "c"))
    }

    @Test mutating func aVolumeThatHasMovedJoinsFromWhereItIs() {
        spec.members = ["a", "b", "c", "d"]
        view.record.members["d"] = MemberRecord(incarnation: 4, state: .joining, etcdID: 4, machine: "machine-x")
        view.record.operation = .join(member: "d")
        view.reports["d"] = Self.report("d", .none)
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
        view.reports["d"] = Self.report("d", .foreign)
        #expect(next() == nil)
        view.reports["d"] = Self.report("d", .stale)
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
