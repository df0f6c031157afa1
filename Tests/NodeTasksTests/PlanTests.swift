// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import NodeTasks
import NodeTesting
import PKI
import SystemPackage
import Testing

/// What a plan says, and what it never says.
struct PlanTests {
    @Test func readsAsOneText() async throws {
        var machine = FakeMachine()
        machine.put("old\n", at: "/etc/containerd/config.toml", mode: 0o600)
        machine.put("same\n", at: "/etc/same")
        machine.put("gone\n", at: "/etc/gone")
        machine.putDirectory("/etc/confused")
        let text = "[Service]\n"
        machine.put(text, at: "/etc/systemd/system/containerd.service")
        var unit = FakeMachine.Unit()
        unit.isActive = true
        unit.isEnabled = true
        unit.loaded = text
        machine.units["containerd.service"] = unit
        machine.packages["kubelet"] = PackageStatus(version: "1.19.8", held: false)
        let plan = try await plan(
            [
                ServiceTask("containerd.service", definition: text, restartOn: ["file:/etc/containerd/config.toml"]),
                FileTask("/etc/containerd/config.toml", contents: "new\n"), PackageTask("nfs-common"),
                PackageTask("kubelet", version: "1.20.2", hold: true), PackageTask("containerd", hold: true),
                FileTask("/etc/same", contents: "same\n"),
                FileTask("/etc/gone", content: .bytes([]), ensure: .absent),
                FileTask("/etc/confused", contents: "x"),
                FileTask("/etc/secret", contents: "hunter2", mode: 0o600, owner: "etcd", secret: true),
                UserTask("etcd", uid: 100),
                ServiceTask("nfs.service", after: ["package:nfs-common"]),
                ImageTask("/c/i.tar", sha256: digest("i"), runtime: "docker"),
                MountTask(device: "/dev/sdb", path: "/etc/containerd/certs", filesystem: "ext4"),
            ],
            machine
        )
        #expect(!plan.text.contains("hunter2") && !plan.text.contains(digest("hunter2").prefix(12)))
        try Golden.check(plan.text, "plan.txt")
        try Golden.check(plan.json(), "plan.json")
    }

    @Test("a unit that a timer starts is as declared whether it runs or not", arguments: [false, true])
    func triggeredUnit(runs: Bool) async throws {
        let text = "[Service]\n"
        var machine = FakeMachine()
        machine.put(text, at: "/etc/systemd/system/k.service")
        var unit = FakeMachine.Unit()
        unit.isActive = runs
        unit.loaded = text
        machine.units["k.service"] = unit
        let plan = try await plan([ServiceTask("k.service", definition: text, triggered: true)], machine)
        #expect(plan.isEmpty, "\(plan.text)")
    }

    @Test func hiddenFilesAreStillToCome() async throws {
        var machine = FakeMachine()
        machine.put("x", at: "/mnt/f")
        let tasks: [any NodeTask] = [
            MountTask(device: "tmpfs", path: "/mnt", filesystem: "tmpfs"), FileTask("/mnt/f", contents: "x"),
        ]
        let planned = try await plan(tasks, machine)
        #expect(planned.entries.map(\.action) == [.create, .create])
    }

    @Test func approvedDigestFollowsTheContents() async throws {
        let first = try await plan([FileTask("/a", contents: "1")], FakeMachine())
        let second = try await plan([FileTask("/a", contents: "2")], FakeMachine())
        #expect(first.digest != second.digest)
        #expect(first.digest.count == 64)
    }

    @Test func whatOthersWroteIntoHostsStaysByteForByte() async throws {
        let others: [UInt8] = [UInt8]("127.0.0.1 localhost\r\n# J".utf8) + [0xF6, 0xFF, 0x0A, 0x00, 0x0A]
        var machine = FakeMachine()
        machine.put("", at: "/etc/hosts")
        machine.files["/etc/hosts"]?.bytes = others
        let node = FakeNode(machine)
        for task in [
            HostsBlockTask("k", entries: ["10.0.0.1": ["a"]]), HostsBlockTask("k", entries: [:], ensure: .absent),
        ] {
            let report = await (try NodeTaskGraph([task])).converge(on: node, reader: node)
            #expect(report.changedCount == 1, "\(report.text)")
            #expect(try await node.read("/etc/hosts").starts(with: others))
        }
        #expect(try await node.read("/etc/hosts") == others)
    }

    @Test func deviceWithDataIsNeverFormatted() async throws {
        let full = [
            BlockDeviceStatus(signature: "xfs", endsAreZero: false, size: 9),
            BlockDeviceStatus(signature: nil, partitionTable: "gpt", endsAreZero: false, size: 9),
            BlockDeviceStatus(signature: nil, endsAreZero: false, size: 9),
            BlockDeviceStatus(signature: "ext4", label: "theirs", endsAreZero: false, size: 9),
        ]
        for device in full {
            var machine = FakeMachine()
            machine.devices["/dev/sdb"] = device
            // A mark of another device's format is no permission.
            machine.put("10\n", at: "/var/lib/kopslite/filesystems/dev-sdb")
            let node = FakeNode(machine)
            let graph = try NodeTaskGraph([FilesystemTask(device: "/dev/sdb", type: "ext4", label: "ours")])
            let report = await graph.converge(on: node, reader: node)
            #expect(["device-not-blank", "label-mismatch"].contains(report.rootFailures.first?.failure?.code))
            #expect(await node.effects == [])
            #expect(try await graph.plan(on: node).failures.count == 1)
        }
    }

    @Test("a certificate is kept for two thirds of its life", arguments: [-0.1, 0.0, 0.3, 0.66, 0.67, 0.9, 1, 1.5])
    func certificateLife(share: Double) async throws {
        let issued = issue(.fixture)
        let facts = try CertificateInspector.inspect(pem: issued.certificate)
        let now = facts.notBefore + share * facts.notAfter.timeIntervalSince(facts.notBefore)
        var machine = FakeMachine()
        machine.put(issued.certificate, at: "/k.crt")
        machine.put(issued.privateKey, at: "/k.key", mode: 0o600)
        let plan = try await plan(
            [
                CertificateTask(
                    certificate: "/k.crt",
                    key: "/k.key",
                    profile: .fixture,
                    signer: .keyset(authority),
                    now: { now }
                )
            ],
            machine
        )
        #expect(plan.isEmpty == (0..<2.0 / 3).contains(share))
        #expect(!plan.text.contains("PRIVATE KEY"))
    }

    @Test("no certificate outlives its authority, nor is it issued in vain", arguments: [0.0, 0.5, 0.9])
    func certificateEndsWithItsAuthority(share: Double) async throws {
        let end = try CertificateInspector.inspect(pem: authority.pairs[0].certificate).notAfter
        let minute: TimeInterval = 60
        let node = FakeNode(FakeMachine())
        for now in [end - 20 * minute, end - 20 * minute * (1 - share)] {
            let task = CertificateTask(
                certificate: "/k.crt",
                key: "/k.key",
                profile: .fixture,
                signer: .keyset(authority),
                now: { now }
            )
            let report = await (try NodeTaskGraph([task])).converge(on: node, reader: node)
            #expect(!report.failed, "\(report.text)")
        }
        #expect(await node.effects.count { $0.contains("/k.crt") } == 1)
    }

    @Test func certificateOfAnotherAuthorityIsReplaced() async throws {
        let other = try KeysetGenerator.certificateAuthority(name: "test-ca", commonName: "test-ca", now: fixedNow)
        let issued = issue(.fixture, by: other)
        var machine = FakeMachine()
        machine.put(issued.certificate, at: "/k.crt")
        machine.put(issued.privateKey, at: "/k.key", mode: 0o600)
        let task = CertificateTask(
            certificate: "/k.crt",
            key: "/k.key",
            profile: .fixture,
            signer: .keyset(authority),
            now: { fixedNow }
        )
        #expect(try await plan([task], machine).text.contains("signed by another"))
    }

    private func plan(_ tasks: [any NodeTask], _ machine: FakeMachine) async throws -> Plan {
        try await NodeTaskGraph(tasks).plan(on: FakeNode(machine))
    }
}
