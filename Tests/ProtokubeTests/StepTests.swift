// SPDX-License-Identifier: Apache-2.0
import AddonManager
import EtcdManager
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import NodeTesting
import StateStore
import SystemPackage
import Testing

@testable import Protokube

@Suite struct StepTests {
    let fixture = Fixture()
    let api = FakeAPI()

    func expect(_ code: String, _ body: () async throws -> Void) async {
        let failure = await #expect(throws: Failure.self) { try await body() }
        #expect(failure?.code == code, "\(failure?.chain ?? "")")
    }

    @Test func everyStepWaitsForNodeup() async throws {
        let step = DiscoveryStep(nodeState: fixture.nodeState, clusterState: fixture.clusterState, now: { Date() })
        await expect("not-sealed") { try await step.converge(Deaf()) }
        await fixture.node.change { $0.put("{", at: NodeInputs.path) }
        await expect("inputs-damaged") { try await step.converge(Deaf()) }
        var worker = Fixture.config()
        worker.controlPlane = nil
        try await fixture.seal(worker)
        await expect("not-control-plane") { try await step.converge(Deaf()) }
    }

    @Test func troubleOfTheStoreAndOfEtcdHasARemedyOfItsOwn() async throws {
        let raced = Failure(RegisterError.conflict(path: "etcd/main/identity.json"))
        #expect(raced.code == "etcd-record-contended" && raced.hint?.contains("at the same time") == true)
        let away = Failure(RegisterError.unavailable(reason: "unplugged"))
        #expect(away.code == "store-unreadable" && away.hint?.contains("reaches the state store") == true)
        let ill = Failure(EtcdError.unreachable(endpoint: "https://10.0.0.1:2379", reason: "timeout"))
        #expect(ill.code == "etcd-unhealthy" && ill.kind == .waiting && ill.hint?.contains("etcd status") == true)
    }

    @Test func theEndpointRecordIsWhatNodeupReads() async throws {
        try await fixture.seal()
        let now = Date(timeIntervalSince1970: 1_000_000)
        let step = DiscoveryStep(nodeState: fixture.nodeState, clusterState: fixture.clusterState, now: { now })
        try await step.converge(Deaf())
        let records = try await APIEndpoints(store: fixture.store, layout: fixture.layout).records()
        #expect(records == ["cp-1": EndpointRecord(address: "10.3.0.2", port: 443, updated: now)])
        fixture.outage.value = true
        await expect("store-unreadable") { try await step.converge(Deaf()) }
        #expect(!step.isEssential)
    }

    @Test func manifestsAreHandedToKubeletOnceAndAgainWhenTheyChange() async throws {
        let later = NodePaths.laterManifests
        await fixture.node.change {
            $0.put("{}", at: later.appending("kube-scheduler.json"))
            $0.put("{}", at: later.appending(".kopslite-0123.json"))
            $0.putDirectory(NodePaths.manifests)
        }
        let step = ManifestsStep(node: fixture.node)
        try await step.converge(Deaf())
        #expect(try await fixture.node.list(NodePaths.manifests) == ["kube-scheduler.json"])
        await fixture.node.forgetEffects()
        try await step.converge(Deaf())
        #expect(await fixture.node.effects.isEmpty)
        await fixture.node.change { $0.put(#"{"new":1}"#, at: later.appending("kube-scheduler.json")) }
        try await step.converge(Deaf())
        #expect(
            try await fixture.node.read(NodePaths.manifests.appending("kube-scheduler.json"))
                == Array(#"{"new":1}"#.utf8)
        )
    }

    @Test func theTokenBecomesABootstrapSecret() async throws {
        let secret = try BootstrapTokenStep.secret(for: Fixture.token)
        #expect(secret["metadata"]?["name"] == "bootstrap-token-abcdef")
        #expect(secret["metadata"]?["namespace"] == "kube-system")
        #expect(secret["type"] == "bootstrap.kubernetes.io/token")
        let value = try #require(secret["data"]?["token-secret"]?.string)
        #expect(Data(base64Encoded: value).map { String(decoding: $0, as: UTF8.self) } == "0123456789abcdef")
    }

    @Test(arguments: [
        "", "abcdef", "abcdef.", "abcdef.0123456789abcde", "ABCDEF.0123456789abcdef", "abc/ef.0123456789abcdef",
        "abcdef.0123456789abcdef.x",
    ])
    func aBadTokenIsRefusedAndNotShown(token: String) async throws {
        let failure = #expect(throws: Failure.self) { try BootstrapTokenStep.secret(for: token) }
        #expect(failure?.code == "bootstrap-token-invalid")
        if token.count > 8 { #expect(failure?.chain.contains(token) == false) }
    }

    @Test func theNodeGetsWhatItsKubeletMayNotGiveItself() async throws {
        try await fixture.seal()
        let step = NodeLabelsStep(nodeState: fixture.nodeState, api: api)
        await expect("node-not-registered") { try await step.converge(Deaf()) }
        await api.register("cp-1")
        try await step.converge(Deaf())
        #expect(
            await api.nodes["cp-1"] == [
                "team": "blue", "node-role.kubernetes.io/control-plane": "", "node-role.kubernetes.io/master": "",
                "node-role.kubernetes.io/extra": "yes",
            ]
        )
    }
}

@Suite struct AddonsStepTests {
    let fixture = Fixture()
    let api = FakeAPI()
    let clock = SimulatedClock()
    /// The generation that is followed, and why no newer one is.
    let heard = Handover<(Int, String?)>()

    func step() -> AddonsStep {
        AddonsStep(
            source: fixture.source,
            applier: AddonApplier(target: api, clock: clock),
            stopwatch: Stopwatch(clock),
            follows: { [heard] in heard.value = ($0, $1?.code) }
        )
    }

    @Test func addonsAreAppliedInOrderAndKeptTrue() async throws {
        try await fixture.seal()
        try await fixture.publish(addons: ["bootstrap", "kube-dns"])
        let step = step()
        try await step.converge(Deaf())
        #expect(await api.names == ["bootstrap", "kube-dns"])
        try await step.converge(Deaf())
        #expect(await api.names.count == 2, "not again at once")
        try await clock.sleep(for: .seconds(181))
        try await step.converge(Deaf())
        #expect(await api.names.count == 4, "but every few minutes")
    }

    @Test func aNewGenerationIsAppliedAtOnce() async throws {
        try await fixture.seal()
        let first = try await fixture.publish(addons: ["bootstrap"])
        let step = step()
        try await step.converge(Deaf())
        await api.forget()
        try await fixture.publish(addons: ["bootstrap", "kube-dns"], previous: first)
        try await step.converge(Deaf())
        #expect(await api.names == ["bootstrap", "kube-dns"])
        #expect(await api.applied.last?["data"]?["generation"] == "2")
    }

    @Test func aBootWithoutTheStoreAppliesWhatWasReadLast() async throws {
        try await fixture.seal()
        try await fixture.publish(addons: ["bootstrap", "kube-dns"])
        try await step().converge(Deaf())
        await api.forget()
        fixture.outage.value = true
        await fixture.node.reboot()
        try await step().converge(Deaf())
        #expect(await api.names == ["bootstrap", "kube-dns"])
    }

    @Test func aStoreThatIsNotFollowedIsToldWhileAddonsStayTrue() async throws {
        try await fixture.seal()
        let first = try await fixture.publish(addons: ["bootstrap"])
        let head = try fixture.layout.head()
        let replayed = try #require(await fixture.store.read(head))
        let second = try await fixture.publish(addons: ["bootstrap", "kube-dns"], previous: first)
        let step = step()
        try await step.converge(Deaf())
        #expect(heard.value?.0 == 2 && heard.value?.1 == nil)
        let newest = try #require(await fixture.store.read(head))
        await api.forget()
        try await clock.sleep(for: .seconds(181))
        try await fixture.store.write(replayed.bytes, to: head, when: .always)
        try await step.converge(Deaf())
        #expect(heard.value?.0 == 2 && heard.value?.1 == "generation-older")
        #expect(await api.names == ["bootstrap", "kube-dns"], "what was read last is kept true")
        try await fixture.store.write(newest.bytes, to: head, when: .always)
        try await fixture.publish(addons: ["bootstrap"], previous: second)
        try await step.converge(Deaf())
        #expect(heard.value?.0 == 3 && heard.value?.1 == nil)
    }

    @Test func withoutTheStoreAndWithoutACacheTheStoreIsNamed() async throws {
        try await fixture.seal()
        fixture.outage.value = true
        let failure = await #expect(throws: Failure.self) { try await step().converge(Deaf()) }
        #expect(failure?.code == "store-unreadable")
        #expect(failure?.kind == .transient)
    }

    @Test func anAlteredObjectIsNotApplied() async throws {
        try await fixture.seal()
        try await fixture.publish(addons: ["bootstrap"])
        try await fixture.store.write(
            Array("[]".utf8),
            to: try fixture.layout.object("addons/bootstrap.json", in: 1),
            when: .always
        )
        let failure = await #expect(throws: Failure.self) { try await step().converge(Deaf()) }
        #expect(failure?.code == "generation-object-altered")
        #expect(await api.applied.isEmpty)
    }

    @Test func anAddonThatFailsIsReportedAndTheOthersAreApplied() async throws {
        try await fixture.seal()
        try await fixture.publish(addons: ["bootstrap", "kube-dns"])
        await api.refuse(["bootstrap"])
        let step = step()
        let failure = await #expect(throws: Failure.self) { try await step.converge(Deaf()) }
        #expect(failure?.kind == .permanent)
        #expect(failure?.message == "1 of 2 add-ons could not be applied: bootstrap: ConfigMap bootstrap: refused")
        #expect(await api.names == ["kube-dns"])
        await api.refuse([])
        try await step.converge(Deaf())
        #expect(await api.names.contains("bootstrap"), "the next look applies it")
    }
}
