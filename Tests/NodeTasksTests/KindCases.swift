// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import NodeTasks
import NodeTesting
import PKI
import SystemPackage
import Testing

/// Tasks and a machine on which they have something to do.
struct KindCase: Sendable, CustomTestStringConvertible {
    let name: String
    let machine: FakeMachine
    let tasks: [any NodeTask]

    var testDescription: String { name }
    var contract: TaskContract<FakeNode> {
        TaskContract(name, tasks: tasks) { [machine] in FakeNode(machine) }
    }

    init(_ name: String, _ tasks: [any NodeTask], on change: (inout FakeMachine) -> Void = { _ in }) {
        self.name = name
        self.tasks = tasks
        var machine = FakeMachine()
        machine.putDirectory("/etc")
        change(&machine)
        self.machine = machine
    }

    static let all = files + accounts + services + packages + disks + kernel + contents + certificates

    private static let files = [
        KindCase("file, new", [FileTask("/etc/a/b.conf", contents: "x\n", mode: 0o640)]),
        KindCase("file, drifted", [FileTask("/etc/b.conf", contents: "x\n", owner: "root")]) {
            $0.put("y\n", at: "/etc/b.conf", mode: 0o600)
            $0.files["/etc/b.conf"]?.uid = 7
        },
        KindCase("file, mode only", [FileTask("/etc/b.conf", contents: "x\n", mode: 0o400)]) {
            $0.put("x\n", at: "/etc/b.conf")
        },
        KindCase("file, instead of a link", [FileTask("/etc/b.conf", contents: "x\n")]) {
            $0.files["/etc/b.conf"] = FakeMachine.Entry(.symlink, target: "/etc/c.conf", mode: 0o777)
        },
        KindCase("file, from a source", [fromSource]) { $0.put("program", at: "/var/cache/p") },
        KindCase("file, secret", [FileTask("/etc/key", contents: "hush", mode: 0o600, secret: true)]),
        KindCase(
            "file, of a user to come",
            [
                FileTask("/etc/e.conf", contents: "x", owner: "etcd", group: "etcd"), UserTask("etcd", uid: 100),
                GroupTask("etcd", gid: 100),
            ]
        ),
        KindCase("file, to go", [FileTask("/etc/b.conf", content: .bytes([]), ensure: .absent)]) {
            $0.put("x", at: "/etc/b.conf")
        },
        KindCase("directory, new", [DirectoryTask("/srv/a/b", mode: 0o700), FileTask("/srv/a/b/c", contents: "")]),
        KindCase("directory, drifted", [DirectoryTask("/srv", mode: 0o700, owner: "0")]) {
            $0.putDirectory("/srv")
            $0.files["/srv"]?.uid = 9
        },
        KindCase("directory, to go", [DirectoryTask("/srv", ensure: .absent)]) { $0.put("x", at: "/srv/a/b") },
        KindCase("symlink, new", [SymlinkTask("/opt/bin/k", target: "../k")]),
        KindCase("symlink, drifted", [SymlinkTask("/etc/l", target: "a")]) {
            $0.files["/etc/l"] = FakeMachine.Entry(.symlink, target: "b", mode: 0o777)
        },
        KindCase("symlink, to go", [SymlinkTask("/etc/l", target: "a", ensure: .absent)]) {
            $0.files["/etc/l"] = FakeMachine.Entry(.symlink, target: "b", mode: 0o777)
        },
        KindCase("hostsBlock, new", [hosts]),
        KindCase("hostsBlock, drifted", [hosts, HostsBlockTask("other", entries: ["10.0.0.9": ["o"]])]) {
            $0.put(
                "127.0.0.1 localhost\n# BEGIN kopslite k8s\n10.9.9.9 old\n# END kopslite k8s\n::1 ip6\n",
                at: "/etc/hosts"
            )
        },
        KindCase("hostsBlock, to go", [HostsBlockTask("k8s", entries: [:], ensure: .absent)]) {
            $0.put("127.0.0.1 localhost\n# BEGIN kopslite k8s\n10.9.9.9 old\n# END kopslite k8s\n", at: "/etc/hosts")
        },
    ]

    private static let fromSource = FileTask(
        "/usr/local/bin/p",
        content: .file("/var/cache/p", sha256: digest("program")),
        attributes: Attributes(mode: 0o755)
    )
    private static let hosts = HostsBlockTask(
        "k8s",
        entries: ["10.0.0.1": ["api.internal", "api"], "10.0.0.2": ["b"]]
    )

    private static let accounts = [
        KindCase(
            "user, new",
            [
                UserTask("etcd", uid: 100, home: "/var/lib/etcd", shell: "/bin/false", groups: ["disk", "adm"]),
                GroupTask("disk"), GroupTask("adm", gid: 4),
            ]
        ),
        KindCase("user, drifted", [UserTask("etcd", uid: 100, shell: "/bin/false", groups: [])]) {
            $0.users["etcd"] = UserEntry(name: "etcd", uid: 5, home: "/x", shell: "/bin/sh", groups: ["root"])
        },
        KindCase("user, to go", [UserTask("etcd", ensure: .absent)]) {
            $0.users["etcd"] = UserEntry(name: "etcd", uid: 5)
        },
        KindCase("group, new", [GroupTask("etcd")]),
        KindCase("group, drifted", [GroupTask("etcd", gid: 9)]) {
            $0.groups["etcd"] = GroupEntry(name: "etcd", gid: 5, members: ["a"])
        },
        KindCase("group, to go", [GroupTask("etcd", ensure: .absent)]) {
            $0.groups["etcd"] = GroupEntry(name: "etcd", gid: 5)
        },
    ]

    private static let packages = [
        KindCase(
            "package, new",
            [
                PackageTask("nfs-common"), PackageTask("docker.io", version: "20.10"),
                PackageTask("jq", ensure: .absent),
            ]
        ) {
            $0.repository = ["nfs-common": "1.3"]
            $0.packages["jq"] = PackageStatus(version: "1")
        },
        KindCase("package, half-installed", [PackageTask("nfs-common")]) {
            $0.repository = ["nfs-common": "1.3"]
            $0.packages["nfs-common"] = PackageStatus(version: "1.3", configured: false)
        },
        KindCase("package, of another version", [PackageTask("docker.io", version: "20.10")]) {
            $0.packages["docker.io"] = PackageStatus(version: "19")
        },
        KindCase("package, to be held", [PackageTask("kubelet", version: "1.20", hold: true)]) {
            $0.packages["kubelet"] = PackageStatus(version: "1.19")
        },
        KindCase(
            "package, whose hold differs",
            [PackageTask("kubelet", hold: true), PackageTask("jq", hold: false), PackageTask("nfs-common", hold: true)]
        ) {
            $0.repository = ["nfs-common": "1.3"]
            $0.packages["kubelet"] = PackageStatus(version: "1.19")
            $0.packages["jq"] = PackageStatus(version: "1", held: true)
        },
        KindCase("package, held by somebody", [PackageTask("docker.io", version: "20.10"), PackageTask("jq")]) {
            $0.repository = ["jq": "1"]
            $0.packages["docker.io"] = PackageStatus(version: "19", held: true)
        },
    ]

    private static let services = [
        KindCase("service, new", [ServiceTask("k.service", definition: "[Service]\n")]),
        KindCase(
            "service, of a timer",
            [
                ServiceTask("k.timer", definition: "[Timer]\n", after: ["service:k.service"]),
                ServiceTask("k.service", definition: "new\n", triggered: true),
            ]
        ) { $0.put("old\n", at: "/etc/systemd/system/k.service") },
        KindCase(
            "service, of a package",
            [
                ServiceTask(
                    "docker.service",
                    restartOn: ["file:/etc/docker/daemon.json"],
                    after: ["package:docker.io"]
                ),
                PackageTask("docker.io"), FileTask("/etc/docker/daemon.json", contents: "{}"),
            ]
        ) {
            $0.repository = ["docker.io": "20.10"]
            $0.units["docker.service"] = FakeMachine.Unit(
                vendorDefinition: "[Service]\n",
                reads: ["/etc/docker/daemon.json"]
            )
        },
        KindCase("service, drifted", [ServiceTask("k.service", definition: "new\n", enabled: false)]) {
            running("k.service", "old\n", in: &$0)
            $0.units["k.service"]?.isEnabled = true
        },
        KindCase(
            "service, following files",
            [
                ServiceTask(
                    "k.service",
                    definition: "same\n",
                    enabled: false,
                    restartOn: ["file:/etc/k/a", "file:/etc/k/b"]
                ),
                FileTask("/etc/k/a", contents: "new"), FileTask("/etc/k/b", contents: "same", mode: 0o600),
            ]
        ) {
            $0.put("old", at: "/etc/k/a")
            $0.put("same", at: "/etc/k/b")
            running("k.service", "same\n", reads: ["/etc/k/a", "/etc/k/b"], in: &$0)
        },
        KindCase(
            "service, with a drop-in",
            [
                ServiceTask("k.service", enabled: false),
                FileTask("/etc/systemd/system/k.service.d/10.conf", contents: "new"),
            ]
        ) { running("k.service", "same\n", reads: ["/etc/systemd/system/k.service.d/10.conf"], in: &$0) },
        KindCase(
            "service, with drop-ins of its own",
            [ServiceTask("k.service", dropIns: ["10.conf": "new\n", "20.conf": "new\n"], enabled: false)]
        ) {
            running("k.service", "same\n", in: &$0)
            $0.put("old\n", at: "/etc/systemd/system/k.service.d/20.conf")
            $0.units["k.service"]?.loaded = "same\nold\n"
        },
        KindCase("service, to go with its drop-in", [withDropIn]) {
            running("k.service", "same\n", in: &$0)
            $0.put("old\n", at: "/etc/systemd/system/k.service.d/10.conf")
        },
        KindCase(
            "service, several",
            [
                ServiceTask("k.service", definition: "new\n", enabled: false, restartOn: ["file:/etc/k"]),
                ServiceTask(
                    "p.service",
                    definition: "new\n",
                    enabled: false,
                    restartOn: ["file:/etc/k", "service:k.service"]
                ),
                FileTask("/etc/k", contents: "new"),
            ]
        ) {
            running("k.service", "old\n", reads: ["/etc/k"], in: &$0)
            running("p.service", "old\n", reads: ["/etc/k"], in: &$0)
        },
        KindCase("service, to stop", [ServiceTask("k.service", running: false, enabled: false)]) {
            running("k.service", "same\n", in: &$0)
            $0.units["k.service"]?.isEnabled = true
        },
        KindCase("service, to go", [ServiceTask("k.service", ensure: .absent)]) {
            running("k.service", "same\n", in: &$0)
            $0.units["k.service"]?.isEnabled = true
        },
    ]

    private static let withDropIn = ServiceTask("k.service", dropIns: ["10.conf": "old\n"], ensure: .absent)

    private static func running(
        _ name: String,
        _ text: String,
        reads: [FilePath] = [],
        in machine: inout FakeMachine
    ) {
        machine.put(text, at: FilePath("/etc/systemd/system").appending(name))
        var unit = FakeMachine.Unit(reads: reads)
        unit.isActive = true
        unit.loaded = text
        unit.startedWith = [text] + reads.map { machine.text(at: $0) ?? "" }
        machine.units[name] = unit
    }
}

let fixedNow = Date(timeIntervalSince1970: 1_800_000_000)
let authority = try! KeysetGenerator.certificateAuthority(name: "test-ca", commonName: "test-ca", now: fixedNow)
let authorityJSON = String(decoding: try! JSONEncoder().encode(authority), as: UTF8.self)

func issue(_ profile: CertificateProfile, by keyset: Keyset = authority, at now: Date = fixedNow) -> IssuedCertificate {
    try! CertificateIssuer(keyset: keyset).issue(profile, now: now)
}

func digest(_ text: String) -> String { SHA256Hex.of([UInt8](text.utf8)) }

extension CertificateProfile {
    static let fixture = CertificateProfile(
        commonName: "k",
        organizations: ["system:nodes"],
        dnsNames: ["a.example", "b"],
        ipAddresses: ["10.0.0.1"],
        usages: [.server, .client]
    )
}
