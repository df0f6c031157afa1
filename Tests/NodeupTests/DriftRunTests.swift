// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import NodeTasks
import NodeTesting
import StateStore
import Synchronization
import SystemPackage
import Testing

@testable import Nodeup

/// A machine's look at itself.
@Suite struct DriftRunTests {
    private let free = RunLock.Sight(isHeld: false, owner: " (pid 7)", began: 1)

    private func look(_ fixture: Fixture) async throws -> DriftReport {
        let run = DriftRun(node: fixture.node, lock: { [free] in free }, now: { Fixture.now })
        guard case .compared(_, let report, let inputs) = try await run.compare() else {
            throw Failure(.permanent, code: "disturbed", "the look was disturbed")
        }
        #expect(inputs == fixture.inputs)
        return report
    }

    @Test func aConvergedMachineIsAsDeclared() async throws {
        let fixture = try await Fixture()
        let report = try await look(fixture)
        #expect(report.isAsDeclared, "\(report.differences)")
        #expect(report.total == (try NodeGraph.tasks(for: fixture.inputs).count) && report.failures == 0)
        #expect(report.generation == 4 && report.role == .node && report.instanceGroup == "nodes")
        #expect(await fixture.node.effects.isEmpty)
    }

    @Test func twoMachinesWithOneDriftHaveOneDigest() async throws {
        var reports: [DriftReport] = []
        for (instance, address) in [("nodes-1", "10.0.0.20"), ("nodes-2", "10.0.0.21")] {
            let fixture = try await Fixture(instance, address: address)
            await fixture.node.change {
                $0.files[NodePaths.authority]?.mode = 0o600
                $0.files["/var/lib/kubelet/bootstrap-kubeconfig"]?.bytes = Array(instance.utf8)
            }
            reports.append(try await look(fixture))
            #expect(await fixture.node.effects.isEmpty)
        }
        #expect(reports.map(\.instance) == ["nodes-1", "nodes-2"])
        #expect(reports[0].digest == reports[1].digest)
        #expect(reports[0].differences == reports[1].differences)
        #expect(
            reports[0].differences == [
                DriftReport.Difference(
                    id: "file:/etc/kubernetes/pki/ca.crt",
                    action: .change,
                    changes: ["~ mode  0600 -> 0644"]
                ),
                DriftReport.Difference(
                    id: "file:/var/lib/kubelet/bootstrap-kubeconfig",
                    action: .change,
                    changes: ["~ content  <secret> -> <secret>"]
                ),
            ]
        )
    }

    @Test func itsOwnServiceIsNoDriftWhileItRuns() async throws {
        let fixture = try await Fixture()
        await fixture.node.change { $0.units["nodeup-drift.service"]?.isActive = true }
        let report = try await look(fixture)
        #expect(report.isAsDeclared, "\(report.differences)")
    }

    @Test("a run before, at the end of, or within a look disturbs it", arguments: [0, 1, 2])
    func aRunDisturbs(moment: Int) async throws {
        let fixture = try await Fixture()
        var held = free
        held.isHeld = true
        var later = free
        later.began = 2
        let sights = Mutex([[held], [free, held], [free, later]][moment])
        let run = DriftRun(node: fixture.node, lock: { sights.withLock { $0.removeFirst() } }, now: { Fixture.now })
        guard case .disturbed(let lock) = try await run.compare() else {
            Issue.record("a report was made")
            return
        }
        #expect(lock.owner == " (pid 7)")
    }

    @Test func withoutSealedInputsThereIsNothingToCompareWith() async {
        let run = DriftRun(node: FakeNode(), lock: { [free] in free }, now: { Fixture.now })
        let failure = await #expect(throws: Failure.self) { _ = try await run.compare() }
        #expect(failure?.code == "nothing-sealed")
    }

    @Test func theReportIsBesideTheMachinesOthers() async throws {
        let store = MemoryStore()
        let report = try await look(try await Fixture())
        try await DriftRun.publish(report, of: "demo.example.com", to: store)
        let object = try #require(await store.read(try StoreKey("demo.example.com/status/nodes-1/drift.json")))
        #expect(try DriftReport(parsing: object.bytes) == report)
    }

    @Test func aStoreThatCannotBeWrittenIsAFailure() async throws {
        let report = try await look(try await Fixture())
        let store = FileStore(directory: "/proc/1/none")
        let failure = await #expect(throws: Failure.self) {
            try await DriftRun.publish(report, of: "demo.example.com", to: store)
        }
        #expect(failure?.code == "drift-unreported" && failure?.cause != nil)
    }
}
