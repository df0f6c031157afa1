// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import KopsModel
import Logging
import NodeBuilders
import NodeOS
import NodeTesting
import StateStore
import Testing

@testable import Protokube

/// What nodeup seals while protokube runs.
@Suite(.timeLimit(.minutes(1))) struct BlueprintTests {
    let scene = RunTests()
    var fixture: Fixture { scene.fixture }

    /// With a second etcd cluster.
    static var grown: NodeConfig {
        var config = Fixture.config()
        config.controlPlane?.etcdClusters.append(EtcdClusterConfig(name: "events", version: "3.4.23", members: ["a"]))
        return config
    }

    /// Does something once protokube reports a phase.
    func once(_ phase: AgentPhase, _ deed: @escaping @Sendable () async throws -> Void) async throws {
        while try await !reports(phase) { await Task.yield() }
        try await deed()
    }

    private func reports(_ phase: AgentPhase) async throws -> Bool {
        guard try await fixture.node.status(of: StatusPublisher.journal) != nil else { return false }
        return try await scene.status().phase == phase
    }

    @Test func anEtcdClusterThatComesLaterIsTakenUp() async throws {
        try await scene.provision()
        async let ending = scene.run.run(once: false)
        try await once(.converged) { try await fixture.seal(Self.grown) }
        #expect(try await ending == .outdated)
        #expect(try await scene.run.run(once: true) == .failed, "its volume is not there")
        let failure = try #require(try await scene.status().failure)
        #expect(failure.code == "volume-not-found" && failure.message.contains("events"), "\(failure)")
    }

    @Test func anEtcdClusterThatGoesIsLeftAlone() async throws {
        try await scene.provision()
        try await fixture.seal(Self.grown)
        async let ending = scene.run.run(once: false)
        try await once(.waiting) { try await fixture.seal() }
        #expect(try await ending == .outdated)
        #expect(try await scene.run.run(once: true) == .converged)
    }

    @Test func anAddressOfSeveralAPIServersThatComesLaterIsTakenUp() async throws {
        try await scene.provision()
        var config = Fixture.config()
        config.network.apiAddress = "10.3.0.254"
        let several = config
        async let ending = scene.run.run(once: false)
        try await once(.converged) { try await fixture.seal(several) }
        #expect(try await ending == .outdated)
    }

    @Test func inputsThatCannotBeReadAreAFailure() async throws {
        try await scene.provision()
        await fixture.node.change { $0.put("{", at: NodeInputs.path) }
        #expect(try await scene.run.run(once: true) == .failed)
        let status = try await scene.status()
        #expect(status.phase == .failed)
        #expect(status.failure?.code == "inputs-damaged" && status.failure?.hint.isEmpty == false)
    }

    @Test func inputsThatAreNotThereYetAreWaitedFor() async throws {
        try await scene.provision()
        await fixture.node.change { $0.files[NodeInputs.path] = nil }
        async let ending = scene.run.run(once: false)
        try await once(.waiting) { try await fixture.seal() }
        #expect(try await ending == .outdated, "so that the service manager starts it anew")
    }

    @Test func aRunThatEndsByItselfBeginsAnewByItself() async throws {
        try await scene.provision()
        await fixture.node.change { $0.files[NodeInputs.path] = nil }
        async let ending = scene.run.run(once: true)
        try await once(.waiting) { try await fixture.seal() }
        #expect(try await ending == .converged)
    }

    @Test func otherChangesAreTheStepsOwnBusiness() async throws {
        let step = InputsStep(
            nodeState: fixture.nodeState,
            blueprint: Blueprint(Fixture.config()),
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        try await fixture.seal(Fixture.config(addons: ["bootstrap"]), token: "fedcba.0123456789abcdef")
        try await step.converge(Deaf())
        try await fixture.seal(Self.grown)
        await #expect(throws: OutdatedSteps.self) { try await step.converge(Deaf()) }
    }
}
