// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import StateStore
import Testing

@testable import KopsLite

@Suite("get drift")
struct DriftTests {
    static let now = Date(timeIntervalSince1970: 1_700_000_000)
    private let mode = DriftReport.Difference(
        id: "file:/etc/kubernetes/pki/ca.crt",
        action: .change,
        changes: ["~ mode  0600 -> 0644"]
    )
    private let package = DriftReport.Difference(id: "package:socat", action: .create, changes: ["+ version  any"])
    private let conflict = DriftReport.Difference(
        id: "directory:/etc/cni/net.d",
        action: .fail,
        changes: [],
        failure: AgentFailure(code: "not-a-directory", message: "it is a\u{1B}[31m file", hint: "move it away")
    )

    private func report(
        _ instance: String,
        _ differences: [DriftReport.Difference] = [],
        digit: Character = "0",
        generation: Int = 3,
        hoursAgo: Double = 0.2
    ) -> DriftReport {
        DriftReport(
            instance: instance,
            instanceGroup: String(instance.dropLast(2)),
            role: instance.hasPrefix("control") ? .controlPlane : .node,
            generation: generation,
            checked: Self.now.addingTimeInterval(-hoursAgo * 3600),
            total: 40,
            digest: String(repeating: digit, count: 64),
            differences: differences
        )
    }

    private func bench(nodes: Int, head: Int? = 3, _ reports: DriftReport...) async throws -> Bench {
        let bench = try await Bench.withCluster("--zones local-a --node-count \(nodes)")
        let layout = ClusterLayout(clusterName: "demo.example.com")
        try await bench.publish(generations: head ?? 0)
        for report in reports {
            try await bench.store.write(try report.encoded(), to: layout.drift(on: report.instance), when: .always)
        }
        return bench
    }

    @Test("machines with one drift stand together, most machines first", arguments: ["table", "json"])
    func groups(format: String) async throws {
        let bench = try await bench(
            nodes: 7,
            report("control-plane-local-a-1"),
            report("nodes-1", [mode, package], digit: "a"),
            report("nodes-2", [conflict], digit: "b"),
            report("nodes-3", [mode, package], digit: "a"),
            report("nodes-4", [mode, package], digit: "a"),
            report("nodes-5"),
            report("nodes-6", [mode], digit: "c", generation: 2),
            report("old-1", [mode], digit: "c", hoursAgo: 3.2)
        )
        try await bench.report(.sample("nodes-7", .converged))
        let key = try ClusterLayout(clusterName: "demo.example.com").drift(on: "broken-1")
        try await bench.store.write(Array("{".utf8), to: key, when: .always)
        let result = await bench.run("get drift demo.example.com -o \(format)")
        try expectGolden(result.text, "drift-\(format).txt")
        #expect(result.code == 2)
    }

    @Test("machines of all groups without drift are one group")
    func noDrift() async throws {
        let bench = try await bench(
            nodes: 2,
            report("control-plane-local-a-1"),
            report("nodes-1"),
            report("nodes-2", hoursAgo: 1.9)
        )
        let result = await bench.run("get drift demo.example.com")
        try expectGolden(result.text, "drift-none.txt")
    }

    @Test("a report that says nothing of now is no drift, and no proof of the contrary")
    func stale() async throws {
        let bench = try await bench(nodes: 1, head: nil, report("nodes-1", [mode], digit: "a", hoursAgo: 2.1))
        let result = await bench.run("get drift demo.example.com")
        #expect(result.code == 0)
        #expect(result.output.contains("nodes-1\t\t\tlast compared 2 h 6 min ago\n"))
        #expect(result.output.contains("control-plane-local-a-1\tno report\n"))
        #expect(!result.output.contains("as declared"))
    }

    @Test("what is not listed is counted")
    func truncated() async throws {
        let many = (0..<250).map { DriftReport.Difference(id: "file:/\($0)", action: .remove, changes: []) }
        let bench = try await bench(nodes: 1, report("nodes-1", many, digit: "a"))
        let result = await bench.run("get drift demo.example.com")
        #expect(result.output.contains("\nand 50 more\n"))
        #expect(result.output.contains("aaaaaaaaaaaa\t1\t250\tnodes-1\n"))
    }

    @Test("neither watch nor validate takes a drift report for an agent's")
    func otherCommands() async throws {
        let bench = try await bench(nodes: 1, report("nodes-1", [mode], digit: "a"))
        try await bench.report(.sample("nodes-1", .converged))
        try await bench.report(.sample("control-plane-local-a-1", .converged))
        try await bench.report(.sample("control-plane-local-a-1", .converged, agent: "protokube"))
        let board = try await StatusBoard.read(of: "demo.example.com", in: bench.store)
        #expect(board.damaged.isEmpty && board.reports.count == 3)
        #expect(await bench.run("watch cluster demo.example.com --until-converged --timeout 3s").code == 0)
    }
}
