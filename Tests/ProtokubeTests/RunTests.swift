// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import FoundationEssentials
import KopsModel
import Logging
import NodeBuilders
import NodeOS
import NodeTesting
import StateStore
import SystemPackage
import Testing

@testable import Protokube

/// All of protokube on a machine, a control plane and a store in memory.
@Suite struct RunTests {
    let fixture = Fixture()
    let plane: FakeControlPlane
    let clock = SimulatedClock()

    init() {
        plane = FakeControlPlane(serves: { [node = fixture.node] in
            let wal = FilePath("/mnt/kopslite/etcd-main").appending("data/member/wal/0.wal")
            await node.change { if $0.files[wal] == nil { $0.put("wal", at: wal) } }
        })
    }

    struct Clean: FilesystemTools {
        func check(_ device: FilePath, filesystem: String) {}
        func grow(_ device: FilePath, filesystem: String, mountPoint: FilePath) {}
    }

    /// etcd's program says that it is what a file on the machine says.
    struct Installed: CommandRunner {
        let node: FakeNode

        func result(of command: Command) async throws -> CommandResult {
            CommandResult(output: Array("etcd Version: ".utf8) + (try await node.read(FilePath(command.program))))
        }
    }

    /// Nothing ever happens to this machine's devices.
    struct Silent: DeviceEvents {
        func events() -> AsyncStream<DeviceEvent> { AsyncStream { $0.finish() } }
    }

    var run: Run {
        Run(
            node: fixture.node,
            boot: Bench.boot,
            http: plane,
            clock: clock,
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            tools: Clean(),
            runner: Installed(node: fixture.node),
            devices: Silent(),
            open: { [store = fixture.store, outage = fixture.outage] _ in
                if outage.value == true { throw StoreError.unavailable(url: "memory://", reason: "unplugged") }
                return store
            }
        )
    }

    /// What nodeup leaves behind, and a blank volume.
    func provision() async throws {
        try await fixture.seal()
        try await fixture.publish(addons: ["bootstrap", "kube-dns"])
        plane.put(["kind": "Node", "metadata": ["name": "cp-1"]], at: "/api/v1/nodes/cp-1")
        await fixture.node.change { machine in
            for path in ["server", "peer", "client"].map({ NodePaths.etcdPKI(of: "main").appending($0) })
                + [NodePaths.adminPKI.appending("admin")]
            {
                machine.put("certificate", at: FilePath(path.string + ".crt"))
                machine.put("key", at: FilePath(path.string + ".key"))
            }
            for name in ["ca.crt", "peer-ca.crt"] {
                machine.put("authority", at: NodePaths.etcdPKI(of: "main").appending(name))
            }
            machine.put("authority", at: NodePaths.authority)
            machine.put("3.4.23", at: NodePaths.etcd.appending("etcd"))
            machine.put("{}", at: NodePaths.laterManifests.appending("kube-scheduler.json"))
            machine.putDirectory(NodePaths.manifests)
            machine.putDirectory("/etc/systemd/system")
            machine.put("", at: "/dev/loop7")
            machine.devices["/dev/loop7"] = BlockDeviceStatus(signature: nil, endsAreZero: true, size: 1 << 30)
            machine.put(
                #"{"volumes":[{"name":"a.etcd-main","device":"/dev/loop7","exclusive":true,"labels":{"k8s.io/etcd/main":"a/a"}}]}"#,
                at: AnnouncementFile.path
            )
        }
    }

    func status() async throws -> AgentStatus {
        try AgentStatus(parsing: try await fixture.node.read(StatusPublisher.journal))
    }

    @Test func aMachineWithABlankVolumeBecomesAControlPlane() async throws {
        try await provision()
        #expect(try await run.run(once: true) == .converged)
        #expect(clock.now.offset < .seconds(5), "nothing had to be waited for but etcd")
        let status = try await status()
        #expect(status.phase == .converged)
        #expect(status.failure == nil)
        #expect(status.generation == 1)
        #expect(
            status.spans.map(\.name) == [
                "inputs", "discovery", "volume", "etcd", "etcd-program", "volume-size", "backup-main",
                "backup-request-main",
                "api-server", "manifests", "bootstrap-token", "node-labels", "addons:bootstrap", "addons:kube-dns",
                "addons",
            ]
        )
        #expect(
            plane.paths == [
                "/api/v1/namespaces/default/configmaps/bootstrap", "/api/v1/namespaces/default/configmaps/kube-dns",
                "/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef", "/api/v1/nodes/cp-1",
            ]
        )
        #expect(
            plane.object("/api/v1/nodes/cp-1")?["metadata"]?["labels"]?["node-role.kubernetes.io/control-plane"] == ""
        )
        #expect(try await fixture.node.list(NodePaths.manifests) == ["kube-scheduler.json"])
        let written = try #require(await fixture.store.read(try fixture.layout.status(of: "protokube", on: "cp-1")))
        #expect(try AgentStatus(parsing: written.bytes) == status)
        #expect(!String(decoding: written.bytes, as: UTF8.self).contains("0123456789abcdef"), "no secret in a report")
    }

    @Test func aSecondRunChangesNothing() async throws {
        try await provision()
        _ = try await run.run(once: true)
        #expect(
            try await fixture.node.read("/run/kopslite/etcd-main/environment")
                .split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }.first
                == "ETCD_INITIAL_CLUSTER=a=https://a.etcd-main.internal.demo.example.com:2380"
        )
        // What etcd itself would write as its own user the fake writes as root; the second run hands it over.
        _ = try await run.run(once: true)
        await fixture.node.forgetEffects()
        _ = try await run.run(once: true)
        let changes = await fixture.node.effects.filter { !$0.contains("/var/lib/kopslite/protokube-status.json") }
        #expect(changes.filter { !$0.hasPrefix("makeDirectory") } == [])
    }

    @Test func aControlPlaneThatRanRunsWithoutItsStore() async throws {
        try await provision()
        _ = try await run.run(once: true)
        fixture.outage.value = true
        await fixture.node.reboot()
        #expect(try await run.run(once: true) == .converged)
        let status = try await status()
        #expect(status.phase == .converged)
        #expect(status.failure?.code == "store-unreadable", "it is said")
    }

    @Test func aStoreThatIsNotFollowedIsToldByAControlPlaneThatIsUp() async throws {
        try await provision()
        _ = try await run.run(once: true)
        let head = try fixture.layout.head()
        let genuine = try #require(await fixture.store.read(head))
        try await fixture.store.write(Array("{}".utf8), to: head, when: .always)
        #expect(try await run.run(once: true) == .converged)
        let status = try await status()
        #expect(status.phase == .converged && status.generation == 1)
        #expect(status.failure?.code == "generation-head-unreadable" && status.failure?.hint.isEmpty == false)
        try await fixture.store.write(genuine.bytes, to: head, when: .always)
        #expect(try await run.run(once: true) == .converged)
        #expect(try await self.status().failure == nil)
    }

    @Test func etcdDataThatIsGoneStopsTheRunWithOneLine() async throws {
        try await provision()
        _ = try await run.run(once: true)
        await fixture.node.reboot()
        await fixture.node.change {
            $0.devices["/dev/loop7"] = BlockDeviceStatus(signature: nil, endsAreZero: true, size: 1 << 30)
        }
        await fixture.node.forgetEffects()
        #expect(try await run.run(once: true) == .failed)
        let status = try await status()
        #expect(status.phase == .failed)
        #expect(status.failure?.code == "etcd-data-missing")
        #expect(status.failure?.hint.isEmpty == false)
        #expect(await fixture.node.effects.filter { $0.contains("mkfs") || $0.contains("Filesystem") }.isEmpty)
    }

    @Test func anAPIServerThatNeverAnswersFailsByNameAfterItsDeadline() async throws {
        try await provision()
        plane.setAPIReady(false)
        #expect(try await run.run(once: true) == .failed)
        let status = try await status()
        #expect(status.activity == "waiting for API server")
        #expect(status.failure?.code == "api-server-not-ready")
        #expect(clock.now.offset >= .seconds(300) && clock.now.offset < .seconds(310))
        #expect(try await fixture.node.list(NodePaths.manifests).isEmpty, "the other pods wait for the API server")
        plane.setAPIReady(true)
        #expect(try await run.run(once: true) == .converged)
    }

    @Test func theAddressIsPublishedBeforeAnythingIsUp() async throws {
        try await provision()
        await fixture.node.change { $0.files[AnnouncementFile.path] = nil }
        #expect(try await run.run(once: true) == .failed)
        #expect(try await APIEndpoints(store: fixture.store, layout: fixture.layout).records()["cp-1"] != nil)
        #expect(try await status().failure?.code == "volume-not-found")
    }
}
