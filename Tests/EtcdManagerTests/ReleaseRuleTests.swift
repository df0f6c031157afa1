// SPDX-License-Identifier: Apache-2.0
import NodeOS
import Testing

@testable import EtcdManager

/// Data of one release is given to no release but it and the next ones, one minor at a time.
@Suite struct ReleaseRuleTests {
    static func act(_ release: String, after last: String?, hasData: Bool = true) -> RiskyAct {
        let note = VolumeNote(
            clusterName: "c.example.com",
            etcdCluster: "main",
            id: "0",
            epoch: 1,
            member: "a",
            incarnation: 1,
            initialised: true,
            release: last
        )
        let sight = LocalSight(volume: .mounted(note: note, hasData: hasData), process: .stopped)
        return .serve(release: release, member: "a", sight: sight)
    }

    @Test(arguments: [
        ("3.4.23", "3.4.23"), ("3.4.24", "3.4.23"), ("3.5.0", "3.4.23"), ("3.6.1", "3.5.16"),
    ])
    func theNextOneIsLet(release: String, last: String) {
        #expect(SafetyRules.all.allow(Self.act(release, after: last)))
    }

    @Test(arguments: [("3.4.22", "3.4.23"), ("3.4.23", "3.5.16"), ("3.6.1", "3.4.23"), ("4.0.0", "3.6.1")])
    func olderOnesAndThoseThatSkipAreNot(release: String, last: String) {
        let failure = #expect(throws: Failure.self) { try SafetyRules.all.check(Self.act(release, after: last)) }
        #expect(failure?.code == "serve-only-next-release")
        let without = SafetyRules.all.without("serve-only-next-release")
        #expect(without.allow(Self.act(release, after: last)))
    }

    @Test func whereNothingIsServedNothingIsRefused() {
        #expect(SafetyRules.all.allow(Self.act("3.4.23", after: nil)))
        #expect(SafetyRules.all.allow(Self.act("3.4.23", after: "3.6.1", hasData: false)))
    }
}
