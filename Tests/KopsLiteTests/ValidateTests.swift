// SPDX-License-Identifier: Apache-2.0
import Clouds
import KopsModel
import StateStore
import Testing

@testable import KopsLite

@Suite("validate")
struct ValidateTests {
    private let control = CloudInventory.Machine(
        name: "control-plane-local-a-1",
        instanceGroup: "control-plane-local-a",
        role: .controlPlane,
        zone: "local-a",
        address: "10.64.0.2",
        state: "running"
    )
    private let worker = CloudInventory.Machine(
        name: "nodes-1",
        instanceGroup: "nodes",
        role: .node,
        zone: "local-a",
        address: "10.64.0.3",
        state: "running"
    )

    private func node(
        _ name: String,
        ready: String = "True",
        message: String = "kubelet is posting ready status"
    )
        -> JSONValue
    {
        [
            "metadata": ["name": .string(name), "labels": ["kubernetes.io/hostname": .string(name)]],
            "status": ["conditions": [["type": "Ready", "status": .string(ready), "message": .string(message)]]],
        ]
    }

    private func pod(
        _ name: String,
        phase: String = "Running",
        ready: Bool = true,
        namespace: String = "kube-system"
    )
        -> JSONValue
    {
        [
            "metadata": ["name": .string(name), "namespace": .string(namespace)], "spec": [:],
            "status": ["phase": .string(phase), "containerStatuses": [["name": "main", "ready": .bool(ready)]]],
        ]
    }

    private func healthy() async throws -> Bench {
        var bench = try await Bench.withCluster()
        bench.cloud = TestCloud(machines: [control, worker])
        bench.kube = TestKube(
            nodes: [node("nodes-1"), node("control-plane-local-a-1")],
            pods: [
                pod("kube-apiserver"), pod("job", phase: "Succeeded", ready: false),
                pod("web", ready: false, namespace: "default"),
            ]
        )
        try await bench.report(.sample("nodes-1", .converged, done: 40, total: 40))
        return bench
    }

    @Test("a cluster that works", arguments: ["table", "yaml", "json"])
    func ready(format: String) async throws {
        let result = await (try healthy()).run("validate cluster demo.example.com -o \(format)")
        try expectGolden(result.text, "validate-ready-\(format).txt")
    }

    @Test("everything that is wrong is a row, and a failed agent says what to do", arguments: ["table", "json"])
    func broken(format: String) async throws {
        var bench = try await healthy()
        bench.cloud = TestCloud(machines: [control])
        bench.kube.nodes = [node("control-plane-local-a-1", ready: "False", message: "container runtime is down")]
        bench.kube.pods = [
            pod("kube-dns", phase: "Pending"), pod("kube-proxy", ready: false), pod("kube-apiserver", phase: "Failed"),
        ]
        try await bench.report(
            .sample(
                "nodes-1",
                .failed,
                done: 12,
                total: 40,
                failure: AgentFailure(
                    code: "package-not-found",
                    message: "installing docker.io: no such\tpackage\nin any source",
                    hint: "add the source to the image"
                )
            )
        )
        let key = try StoreKey("demo.example.com/status/nodes-1/protokube.json")
        try await bench.store.write(Array("{".utf8), to: key, when: .always)
        let result = await bench.run("validate cluster demo.example.com -o \(format)")
        try expectGolden(result.text, "validate-broken-\(format).txt")
        #expect(result.code == 2)
    }

    @Test("a machine that has not joined says where it is")
    func notJoined() async throws {
        var bench = try await healthy()
        bench.kube.nodes = [node("control-plane-local-a-1")]
        try await bench.report(.sample("nodes-1", .converging, done: 12, total: 40, activity: "package:docker.io"))
        let result = await bench.run("validate cluster demo.example.com")
        #expect(
            result.output.contains(
                "machine \"nodes-1\" has not yet joined cluster; nodeup converging, task 12 of 40: package:docker.io"
            )
        )
        #expect(result.code == 2)
    }

    @Test("an API server that does not answer is a row, and agents are reported still")
    func noAPI() async throws {
        var bench = try await healthy()
        bench.kubeFailure = "connection refused"
        try await bench.report(
            .sample(
                "control-plane-local-a-1",
                .failed,
                agent: "protokube",
                failure: AgentFailure(code: "etcd-identity", message: "m")
            )
        )
        let result = await bench.run("validate cluster demo.example.com")
        #expect(result.output.contains("the API server does not answer: connection refused"))
        #expect(result.output.contains("protokube failed: [etcd-identity] m"))
        #expect(result.code == 2)
    }

    @Test("a protokube that has ceased to report is a problem, an old report of nodeup is none")
    func silentAgent() async throws {
        let bench = try await healthy()
        try await bench.report(.sample("nodes-1", .converged, age: 1e6))
        try await bench.report(.sample("control-plane-local-a-1", .converged, agent: "protokube", age: 100))
        try await bench.report(.sample("control-plane-removed-1", .converged, agent: "protokube", age: 1e6))
        let good = await bench.run("validate cluster demo.example.com")
        #expect(good.code == 0, "\(good.text)")
        try await bench.report(.sample("control-plane-local-a-1", .converged, agent: "protokube", age: 300))
        let bad = await bench.run("validate cluster demo.example.com")
        #expect(bad.output.contains("protokube has not reported for 5m; see systemctl status protokube there"))
        #expect(!bad.output.contains("control-plane-removed-1") && bad.code == 2, "\(bad.text)")
    }

    @Test("machines that no cloud launches count by their reports, once they have joined")
    func withoutCloud() async throws {
        var bench = try await healthy()
        bench.cloud = TestCloud()
        try await bench.report(.sample("control-plane-local-a-1", .converged, agent: "protokube"))
        let good = await bench.run("validate cluster demo.example.com")
        #expect(good.code == 0, "\(good.text)")
        bench.kube.nodes = [node("control-plane-local-a-1")]
        let gone = await bench.run("validate cluster demo.example.com")
        #expect(gone.output.contains("InstanceGroup \"nodes\" did not have enough nodes 0 vs 1"), "\(gone.text)")
    }

    @Test("what fails at a converged agent is a warning", arguments: ["table", "yaml", "json"])
    func warned(format: String) async throws {
        let bench = try await healthy()
        let failure = AgentFailure(
            code: "addon-refused",
            message: "applying kube-dns: the API server refuses it",
            hint: "correct the add-on"
        )
        try await bench.report(
            .sample("control-plane-local-a-1", .converged, agent: "protokube", failure: failure)
        )
        let result = await bench.run("validate cluster demo.example.com -o \(format)")
        try expectGolden(result.text, "validate-warned-\(format).txt")
    }

    @Test("--wait ends as soon as the cluster works")
    func waits() async throws {
        var bench = try await healthy()
        let store = bench.store
        let key = try ClusterLayout(clusterName: "demo.example.com").status(of: "nodeup", on: "nodes-1")
        try await bench.report(.sample("nodes-1", .failed))
        let good = try AgentStatus.sample("nodes-1", .converged).encoded()
        bench.clock = TestClock { number in
            if number == 3 { _ = try? await store.write(good, to: key, when: .always) }
        }
        let result = await bench.run("validate cluster demo.example.com --wait 10m")
        #expect(result.code == 0, "\(result.text)")
        #expect(result.notes.split(separator: "\n").count == 1)
    }

    @Test("--wait gives up in the end")
    func waitsNotForEver() async throws {
        let bench = try await healthy()
        try await bench.report(.sample("nodes-1", .failed))
        #expect(await bench.run("validate cluster demo.example.com --wait 1m").code == 2)
    }
}

@Suite("watch")
struct WatchTests {
    private func story(isTerminal: Bool) async throws -> Bench {
        var bench = try await Bench.withCluster()
        bench.isTerminal = isTerminal
        let teller = bench
        bench.clock = TestClock { number in
            try? await Self.tell(number, teller)
        }
        return bench
    }

    private static func tell(_ number: Int, _ bench: Bench) async throws {
        switch number {
        case 1: try await bench.report(.sample("nodes-1", .acquiring))
        case 2: try await bench.report(.sample("control-plane-local-a-1", .converging, done: 3, total: 60))
        case 4:
            try await bench.report(
                .sample(
                    "nodes-1",
                    .failed,
                    done: 12,
                    total: 40,
                    failure: AgentFailure(code: "disk-full", message: "writing /a: no space", hint: "grow the disk")
                )
            )
        case 5: try await bench.report(.sample("nodes-1", .converged, done: 40, total: 40))
        case 6: try await bench.report(.sample("control-plane-local-a-1", .converged, done: 60, total: 60))
        case 7: try await bench.report(.sample("control-plane-local-a-1", .converged, agent: "protokube"))
        default: break
        }
    }

    @Test("in a pipe every change is one line, and it ends when all have converged")
    func pipe() async throws {
        let result = await (try story(isTerminal: false)).run("watch cluster demo.example.com --until-converged")
        try expectGolden(result.text, "watch-pipe.txt")
    }

    @Test("on a terminal the table is drawn over itself")
    func terminal() async throws {
        let result = await (try story(isTerminal: true)).run("watch cluster demo.example.com --until-converged")
        try expectGolden(result.text.replacing("\u{1B}", with: "<ESC>"), "watch-terminal.txt")
    }

    @Test("a control plane whose protokube has ceased to report has not converged, however young nodeup's report is")
    func silentControlPlane() async throws {
        let bench = try await Bench.withCluster()
        try await bench.report(.sample("nodes-1", .converged, age: 1e6))
        try await bench.report(.sample("control-plane-local-a-1", .converged, age: 7200))
        try await bench.report(.sample("control-plane-local-a-1", .converged, agent: "protokube", age: 300))
        let line = "watch cluster demo.example.com --until-converged --timeout 3s"
        try expectGolden(await bench.run(line).text, "watch-silent.txt")
        try await bench.report(.sample("control-plane-local-a-1", .converged, agent: "protokube", age: 100))
        #expect(await bench.run(line).code == 0)
    }

    @Test("in a pipe the passing of time is no change")
    func ages() async throws {
        let row = WatchView.Row(name: "a", role: "node", phase: "converged", age: "5s")
        var next = row
        next.age = "6s"
        #expect(!next.isNews(after: row) && row.isNews(after: nil))
        next.phase = "failed"
        #expect(next.isNews(after: row))
    }

    @Test("--timeout names the machines that have not converged")
    func timeout() async throws {
        let bench = try await Bench.withCluster()
        try await bench.report(.sample("control-plane-local-a-1", .converged))
        try await bench.report(.sample("control-plane-local-a-1", .converged, agent: "protokube"))
        let result = await bench.run("watch cluster demo.example.com --until-converged --timeout 30s")
        #expect(
            result.notes
                == "error: the time is up, and these have not converged: nodes-1 (silent); kopslite validate cluster says more\n"
        )
        #expect(result.code == 1)
    }

    @Test("a machine counts as converged only when all its agents are")
    func allAgents() async throws {
        let bench = try await Bench.withCluster()
        try await bench.report(.sample("nodes-1", .converged))
        try await bench.report(.sample("control-plane-local-a-1", .converged))
        try await bench.report(.sample("control-plane-local-a-1", .waiting, agent: "protokube"))
        #expect(await bench.run("watch cluster demo.example.com --until-converged --timeout 3s").code == 1)
    }
}
