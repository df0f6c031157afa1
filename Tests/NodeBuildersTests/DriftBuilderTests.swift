// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import NodeTasks
import Testing

@testable import NodeBuilders

@Suite struct DriftBuilderTests {
    private func added(for store: String) -> String {
        var boot = Samples.inputs("1.30.0", .node).boot
        boot.store = store
        let shipped = String(decoding: PackageResources.nodeup_drift_service, as: UTF8.self)
        let unit = DriftBuilder.unit(for: boot)
        #expect(unit.hasPrefix(shipped))
        return String(unit.dropFirst(shipped.count))
    }

    @Test(
        "the report is all that may be written",
        arguments: [
            ("file:///srv/kopslite", "ReadWritePaths=\"-/srv/kopslite/demo.example.com/status/node-1\"\n"),
            ("file:///srv/a%20b%25%22", "ReadWritePaths=\"-/srv/a b%%\\\"/demo.example.com/status/node-1\"\n"),
            ("file:///srv/a%0Ab", ""),
            ("s3://bucket/prefix", ""),
            (
                "file:///tmp/store",
                "ReadWritePaths=\"-/tmp/store/demo.example.com/status/node-1\"\nPrivateTmp=false\n"
            ),
        ]
    )
    func whatAStoreNeeds(store: String, lines: String) { #expect(added(for: store) == lines) }

    @Test(arguments: InstanceRole.allCases)
    func aNodeBecomesReadyFirst(role: InstanceRole) throws {
        let graph = try NodeTaskGraph(try NodeGraph.tasks(for: Samples.inputs("1.30.0", role)))
        #expect(graph.dependencies(of: "service:nodeup-drift.service") == ["service:kubelet.service"])
        #expect(graph.dependencies(of: "service:nodeup-drift.timer") == ["service:nodeup-drift.service"])
    }
}
