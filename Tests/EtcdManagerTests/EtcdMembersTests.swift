// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import Testing

/// Members of real clusters come and go through the gateway.
@Suite(.serialized, .enabled(if: EtcdBinaries.isEnabled, "\(EtcdBinaries.remedy)"), .timeLimit(.minutes(3)))
struct EtcdMembersTests {
    @Test(arguments: EtcdBinaries.minors) func aLearnerJoinsGetsItsVoteAndLeaves(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor)) { cluster in
            let (gateway, a) = (cluster.gateway, cluster.endpoint("a"))
            let before = try await gateway.members(at: a)
            #expect(before.members.map(\.name).sorted() == ["a", "b", "c"])
            #expect(before.members.allSatisfy { !$0.isLearner && $0.clientURLs == [cluster.endpoint($0.name)] })

            let learner = try await cluster.addLearner("d")
            #expect(learner.isLearner && learner.name.isEmpty)
            let listed = try await gateway.members(at: cluster.endpoint("c"))
            #expect(listed.members.contains(learner))
            #expect(listed.clusterID == before.clusterID)
            // It has not started, so it is not in step.
            try await expectRejected { try await gateway.promote(learner.id, at: cluster.endpoint("b")) }

            try await cluster.addMember("d", peers: ["a", "b", "c", "d"])
            try await cluster.launch("d")
            try await cluster.untilServing("d")
            #expect(try await gateway.status(of: cluster.endpoint("d")).isLearner)
            try await cluster.promote(learner, by: "b")
            try await cluster.untilHealthy("d")
            let status = try await gateway.status(of: cluster.endpoint("d"))
            #expect(!status.isLearner && status.memberID == learner.id && status.clusterID == before.clusterID)
            #expect(status.version == (try EtcdBinaries(minor: minor).version))
            // Any member takes the request, not just the leader.
            try await expectRejected { try await gateway.promote(learner.id, at: a) }

            try await gateway.remove(learner.id, at: cluster.endpoint("b"))
            #expect(try await gateway.members(at: a) == before)
            try await expectRejected { try await gateway.remove(learner.id, at: a) }
        }
    }

    @Test(arguments: EtcdBinaries.minors) func whatWouldHarmIsRejected(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor)) { cluster in
            let (gateway, a) = (cluster.gateway, cluster.endpoint("a"))
            let learner = try await cluster.addLearner("d")
            try await expectRejected { _ = try await gateway.addLearner(peerURL: cluster.peerURL("e"), at: a) }
            try await expectRejected { _ = try await gateway.addLearner(peerURL: cluster.peerURL("b"), at: a) }
            try await expectRejected { _ = try await gateway.addLearner(peerURL: "nonsense", at: a) }
            try await gateway.remove(learner.id, at: a)
            let c = try await gateway.status(of: cluster.endpoint("c")).memberID
            // With one of three gone for good, none of the other two may go.
            await cluster.kill("c")
            try await cluster.untilMissed(c, by: "a")
            let b = try await gateway.status(of: cluster.endpoint("b")).memberID
            try await expectRejected { try await gateway.remove(b, at: a) }
        }
    }

    @Test(arguments: EtcdBinaries.minors) func aMemberThatIsAwayTakesNobodysTime(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor)) { cluster in
            // One is gone and one takes connections and says nothing. Waiting for either would outlast the test.
            await cluster.kill("b")
            await cluster.freeze("c")
            let gateway = Self.gateway(cluster, seconds: 3600)
            await expectUnreachable { _ = try await gateway.status(of: cluster.endpoint("b")) }
            await withTaskGroup(of: String.self) { group in
                for name in ["a", "c"] {
                    group.addTask {
                        _ = try? await gateway.status(of: cluster.endpoint(name))
                        return name
                    }
                }
                #expect(await group.next() == "a")
                group.cancelAll()
            }
        }
    }

    @Test(arguments: EtcdBinaries.minors) func withoutAQuorumACallEndsInTime(minor: Int) async throws {
        try await RealEtcdCluster.run(EtcdBinaries(minor: minor)) { cluster in
            let (gateway, a) = (Self.gateway(cluster, seconds: 2), cluster.endpoint("a"))
            await cluster.kill("b")
            await cluster.freeze("c")
            await expectUnreachable(saying: "timed out after 2") { try await gateway.put([1], [1], at: a) }
            await expectUnreachable(saying: "timed out after 2") { _ = try await gateway.members(at: a) }
            // What it knows by itself it still says.
            _ = try await gateway.range(EtcdRange(key: [0], end: [0], isLocal: true), at: a)

            await cluster.thaw("c")
            try await cluster.untilHealthy("a")
            try await cluster.start("b")
            #expect(try await gateway.members(at: cluster.endpoint("b")).members.count == 3)
        }
    }

    private static func gateway(_ cluster: RealEtcdCluster, seconds: Int) -> EtcdGateway {
        let limit = Duration.seconds(seconds)
        let timeouts = Timeouts(connect: limit, total: limit, stall: limit)
        return EtcdGateway(http: cluster.http, identity: cluster.identity, timeouts: timeouts)
    }
}

/// Expects etcd's own no.
func expectRejected(
    _ location: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async throws {
    do {
        try await body()
        Issue.record("it was done", sourceLocation: location)
    } catch EtcdError.rejected {}
}

/// Expects no answer, or none in time.
func expectUnreachable(
    saying words: String = "",
    _ location: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("it was done", sourceLocation: location)
    } catch EtcdError.unreachable(_, let reason) where words.isEmpty || reason.contains(words) {
    } catch {
        Issue.record("\(error)", sourceLocation: location)
    }
}
