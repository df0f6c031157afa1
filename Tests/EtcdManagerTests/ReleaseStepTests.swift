// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import EtcdManager

/// How releases of etcd keep a leader from what data could not be brought back from.
@Suite struct ReleaseStepTests {
    /// Nobody is given the turn to restart who would not take it, or everything else would wait for it.
    @Test func aMemberWhoseReleaseIsRefusedGetsNoTurn() throws {
        var view = MembershipView.threeMembers("3.4.23", isCurrent: false)
        view.release = "3.6.4"
        let spec = EtcdSpec(clusterName: "c", etcdCluster: "main", members: ["a", "b", "c"], peerURLs: [:])
        func next() -> LeaderStep? { LeaderStep.next(view, spec: spec, command: nil, token: 1) }
        #expect(next() == nil)
        view.record.operation = .restart(member: "b")
        #expect(next() == .endRestart(member: "b"), "a turn from before is given back")
        view.record.operation = nil
        view.release = "3.5.21"
        #expect(next() == .beginRestart(member: "b"), "the leader comes last")
        // Once all have come to it, that is recorded, and the next may follow.
        for name in ["a", "b", "c"] { view.statuses[name]?.version = "3.5.21" }
        #expect(next() == .recordRelease("3.5.21"))
        view.record.operation = .join(member: "d")
        #expect(next() == .recordRelease("3.5.21"), "or whoever joins would be held against the release of before")
        view.record.operation = nil
        view.statuses["c"]?.version = "3.4.23"
        #expect(next() == .beginRestart(member: "b"), "not while one is still behind")
    }

    /// A member's own data may be patched: the others' is what a snapshot brings along.
    @Test func whoeverIsBehindKeepsTheOthersFromTheReleaseAfterAPatch() throws {
        var view = MembershipView.threeMembers("3.5.30")
        view.record.release = "3.5.16"
        let record = view.record
        #expect(LeaderStep.recordRelease(view) == .recordRelease("3.5.30"), "patches count here")
        view.release = "3.6.4"
        let objection = {
            SafetyRules.all.objection(to: .restart(member: "b", view: view.during(.restart(member: "b"))))
        }
        #expect(objection()?.contains("there is data of 3.5.16") == true)
        view.record.release = "3.5.30"
        #expect(objection() == nil)
        #expect(LeaderStep.recordRelease(view) == nil)
        view.reports["c"]?.releases = ReleaseRange("3.5.20")
        #expect(objection()?.contains("there is data of 3.5.20") == true)
        let run = RiskyAct.run(release: "3.6.4", member: "d", data: nil, record: record)
        #expect(
            SafetyRules.all.objection(to: run)?.contains("there is data of 3.5.16") == true,
            "nor does one that joins"
        )
        view.statuses["c"]?.version = "3.5.20-custom"
        #expect(LeaderStep.recordRelease(view) == .recordRelease("3.5.20-custom"), "and may go back")
        view.statuses["c"]?.version = "3.4.23"
        #expect(LeaderStep.recordRelease(view) == nil, "minors do not")
    }
}
