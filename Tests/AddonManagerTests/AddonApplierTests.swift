// SPDX-License-Identifier: Apache-2.0
import AddonManager
import KopsModel
import NodeTesting
import Testing

@Suite struct AddonApplierTests {
    let cluster = FakeCluster()
    let clock = SimulatedClock()
    var applier: AddonApplier { AddonApplier(target: cluster, clock: clock) }

    static func object(_ kind: String, _ name: String) -> JSONValue {
        ["apiVersion": "v1", "kind": .string(kind), "metadata": ["name": .string(name)]]
    }

    static let dns = Addon(
        name: "kube-dns",
        objects: [
            "Deployment", "Service", "ConfigMap", "ClusterRoleBinding", "ClusterRole", "ServiceAccount", "Namespace",
        ]
        .map { object($0, "dns") }
    )

    @Test func anAddonsObjectsGoInTheOrderTheyNeedEachOther() async throws {
        try await applier.apply([Self.dns])
        #expect(
            await cluster.applied == [
                "Namespace/dns", "ServiceAccount/dns", "ClusterRole/dns", "ClusterRoleBinding/dns", "ConfigMap/dns",
                "Service/dns", "Deployment/dns",
            ]
        )
    }

    @Test(arguments: Seeded.seeds(50)) func orderWithinAKindIsAsWritten(seed: UInt64) {
        var generator = Seeded(seed)
        let kinds = ["Secret", "Widget", "Namespace", "DaemonSet"]
        let objects = (0..<12).map { Self.object(kinds.randomElement(using: &generator) ?? "Secret", "\($0)") }
        let ordered = Addon(name: "x", objects: objects).orderedObjects
        #expect(ordered.count == objects.count)
        for kind in kinds {
            let before = objects.filter { $0["kind"]?.string == kind }
            #expect(ordered.filter { $0["kind"]?.string == kind } == before, "\(generator)")
        }
        let unknown = ordered.drop { $0["kind"]?.string != "Widget" }
        #expect(unknown.allSatisfy { $0["kind"]?.string == "Widget" }, "\(generator): what nobody knows comes last")
    }

    @Test func aSecondPassFindsEverythingUnchanged() async throws {
        let first = try await applier.apply([Self.dns])
        #expect(first == [AddonResult(name: "kube-dns", outcome: .applied(changed: 7))])
        let second = try await applier.apply([Self.dns])
        #expect(second == [AddonResult(name: "kube-dns", outcome: .unchanged)])
        await cluster.drop("Service/dns")
        let third = try await applier.apply([Self.dns])
        #expect(third == [AddonResult(name: "kube-dns", outcome: .applied(changed: 1))])
    }

    @Test func aRefusedObjectStopsNeitherItsAddonNorTheNext() async throws {
        let broken = Addon(name: "broken", objects: [Self.object("ConfigMap", "bad"), Self.object("Service", "good")])
        await cluster.refuse("bad")
        let results = try await applier.apply([broken, Self.dns])
        #expect(
            results == [
                AddonResult(name: "broken", outcome: .failed(reason: "ConfigMap bad: refused", retryable: false)),
                AddonResult(name: "kube-dns", outcome: .applied(changed: 7)),
            ]
        )
        #expect(await cluster.applied.contains("Service/good"))
        #expect(clock.sleeps.isEmpty, "what cannot heal is not retried")
    }

    @Test func transientErrorsAreRetriedWithCappedBackoff() async throws {
        await cluster.fail("dns", with: Array(repeating: .transient("no answer"), count: 8))
        let results = try await applier.apply([Self.dns])
        #expect(results == [AddonResult(name: "kube-dns", outcome: .applied(changed: 7))])
        #expect(clock.sleeps.map { $0 / .milliseconds(1) } == [250, 500, 1000, 2000, 4000, 8000, 8000, 8000])
    }

    @Test func aServerThatNeverAnswersCostsOneBudgetForAllAddons() async throws {
        await cluster.fail("dns", with: Array(repeating: .transient("no answer"), count: 1000))
        let results = try await applier.apply([Self.dns, Self.dns, Self.dns])
        #expect(results.allSatisfy { $0.outcome == .failed(reason: "Namespace dns: no answer", retryable: true) })
        #expect(clock.now.offset == .seconds(60))
    }
}

@Suite struct AddonScheduleTests {
    @Test func aNewGenerationIsDueAtOnce() {
        var schedule = AddonSchedule()
        #expect(schedule.isDue(at: .zero, generation: 1))
        schedule.finished(at: .seconds(1), generation: 1, succeeded: true)
        #expect(!schedule.isDue(at: .seconds(2), generation: 1))
        #expect(schedule.isDue(at: .seconds(2), generation: 2))
    }

    @Test func whatIsAppliedIsAppliedAgain() {
        var schedule = AddonSchedule(interval: .seconds(180), retry: .seconds(15))
        schedule.finished(at: .seconds(10), generation: 1, succeeded: true)
        #expect(!schedule.isDue(at: .seconds(189), generation: 1))
        #expect(schedule.isDue(at: .seconds(190), generation: 1))
        schedule.finished(at: .seconds(190), generation: 1, succeeded: false)
        #expect(schedule.isDue(at: .seconds(205), generation: 1))
    }
}
