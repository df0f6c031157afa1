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
        KindCase("file, of a user to come", [
            FileTask("/etc/e.conf", contents: "x", owner: "etcd", group: "etcd"), UserTask("etcd", uid: 100),
            GroupTask("etcd", gid: 100),
        ]),
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
            $0.put("127.0.0.1 localhost\n# BEGIN kopslite k8s\n10.9.9.9 old\n# END kopslite k8s\n::1 ip6\n", at: "/etc/hosts")
        },
        KindCase("hostsBlock, to go", [HostsBlockTask("k8s", entries: [:], ensure: .absent)]) {
            $0.put("127.0.0.1 localhost\n# BEGIN kopslite k8s\n10.9.9.9 old\n# END kopslite k8s\n", at: "/etc/hosts")
        },
    ]

    private static let fromSource = FileTask(
        "/usr/local/bin/p", content: .file("/var/cache/p", sha256: digest("program")),
        attributes: Attributes(mode: 0o755)
    )
    private static let hosts = HostsBlockTask("k8s", entries: ["10.0.0.1": ["api.internal", "api"], "10.0.0.2": ["b"]])

    private static let accounts = [
        KindCase("user, new", [
            UserTask("etcd", uid: 100, home: "/var/lib/etcd", shell: "/bin/false", groups: ["disk", "adm"]),
            GroupTask("disk"), GroupTask("adm", gid: 4),
        ]),
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
        KindCase("package, new", [
            PackageTask("nfs-common"), PackageTask("docker.io", version: "20.10"), PackageTask("jq", ensure: .absent),
        ]) {
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
    ]

    private static let services = [
        KindCase("service, new", [ServiceTask("k.service", definition: "[Service]\n")]),
        KindCase("service, of a package", [
            ServiceTask("docker.service", restartOn: ["file:/etc/docker/daemon.json"], after: ["package:docker.io"]),
            PackageTask("docker.io"), FileTask("/etc/docker/daemon.json", contents: "{}"),
        ]) {
            $0.repository = ["docker.io": "20.10"]
            $0.units["docker.service"] = FakeMachine.Unit(
                vendorDefinition: "[Service]\n", reads: ["/etc/docker/daemon.json"]
            )
        },
        KindCase("service, drifted", [ServiceTask("k.service", definition: "new\n", enabled: false)]) {
            running("k.service", "old\n", in: &$0)
            $0.units["k.service"]?.isEnabled = true
        },
        KindCase("service, following files", [
            ServiceTask("k.service", definition: "same\n", enabled: false, restartOn: ["file:/etc/k/a", "file:/etc/k/b"]),
            FileTask("/etc/k/a", contents: "new"), FileTask("/etc/k/b", contents: "same", mode: 0o600),
        ]) {
            $0.put("old", at: "/etc/k/a")
            $0.put("same", at: "/etc/k/b")
            running("k.service", "same\n", reads: ["/etc/k/a", "/etc/k/b"], in: &$0)
        },
        KindCase("service, with a drop-in", [
            ServiceTask("k.service", enabled: false),
            FileTask("/etc/systemd/system/k.service.d/10.conf", contents: "new"),
        ]) { running("k.service", "same\n", reads: ["/etc/systemd/system/k.service.d/10.conf"], in: &$0) },
        KindCase("service, several", [
            ServiceTask("k.service", definition: "new\n", enabled: false, restartOn: ["file:/etc/k"]),
            ServiceTask("p.service", definition: "new\n", enabled: false, restartOn: ["file:/etc/k", "service:k.service"]),
            FileTask("/etc/k", contents: "new"),
        ]) {
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

    private static func running(
        _ name: String, _ text: String, reads: [FilePath] = [], in machine: inout FakeMachine
    ) {
        machine.put(text, at: FilePath("/etc/systemd/system").appending(name))
        var unit = FakeMachine.Unit(reads: reads)
        unit.isActive = true
        unit.loaded = text
        unit.startedWith = [text] + reads.map { machine.text(at: $0) ?? "" }
        machine.units[name] = unit
    }

    private static let blank = BlockDeviceStatus(signature: nil, endsAreZero: true, size: 1 << 30)

    private static let disks = [
        KindCase("filesystem, new", [FilesystemTask(device: "/dev/sdb", type: "ext4", label: "etcd-main")]) {
            $0.devices["/dev/sdb"] = blank
        },
        KindCase("mount, new", [
            MountTask(device: "/dev/disk/by-id/b", path: "/mnt/b", filesystem: "ext4", options: ["noatime", "commit=9"]),
            FilesystemTask(device: "/dev/sdb", type: "ext4"), FileTask("/mnt/b/x", contents: "x"),
            SymlinkTask("/dev/disk/by-id/b", target: "../../sdb"),
        ]) { $0.devices = ["/dev/sdb": blank, "/dev/disk/by-id/b": formatted] },
        KindCase("mount, tmpfs", [MountTask(device: "tmpfs", path: "/scratch", filesystem: "tmpfs")]),
        KindCase("mount, drifted", [
            MountTask(device: "/dev/sdb", path: "/mnt", filesystem: "ext4", options: ["rw", "nodev"])
        ]) {
            $0.putDirectory("/mnt")
            $0.mounts.append(MountEntry(source: "/dev/sdb", path: "/mnt", filesystem: "ext4", options: ["ro"]))
        },
        KindCase("mount, to go", [
            MountTask(device: "", path: "/mnt/a", filesystem: "", ensure: .absent), DirectoryTask("/mnt", ensure: .absent),
        ]) {
            $0.putDirectory("/mnt/a")
            $0.mounts.append(MountEntry(source: "/dev/sdb", path: "/mnt/a", filesystem: "ext4", options: ["rw"]))
        },
        KindCase("bindMount, new", [
            BindMountTask("/srv/a", path: "/var/lib/b/c", options: ["ro"]), DirectoryTask("/srv/a"),
        ]),
        KindCase("bindMount, of a file", [BindMountTask("/etc/a", path: "/etc/b")]) { $0.put("x", at: "/etc/a") },
        KindCase("bindMount, drifted", [BindMountTask("/etc", path: "/mnt", options: ["ro"])]) {
            $0.putDirectory("/mnt")
            $0.mounts.append(
                MountEntry(source: "/dev/root", path: "/mnt", filesystem: "ext4", options: ["rw"], root: "/etc")
            )
        },
        KindCase("bindMount, to go", [BindMountTask("/etc", path: "/mnt", ensure: .absent)]) {
            $0.putDirectory("/mnt")
            $0.mounts.append(
                MountEntry(source: "/dev/root", path: "/mnt", filesystem: "ext4", options: ["rw"], root: "/etc")
            )
        },
    ]

    private static let formatted = BlockDeviceStatus(signature: "ext4", endsAreZero: false, size: 1 << 30)

    private static let kernel = [
        KindCase("sysctl, new", [SysctlTask("net.ipv4.ip_forward", value: "1")]) {
            $0.sysctls["net.ipv4.ip_forward"] = "0"
        },
        KindCase("sysctl, drifted", [SysctlTask("net.ipv4.ip_local_port_range", value: "1024 65535")]) {
            $0.sysctls["net.ipv4.ip_local_port_range"] = "1\t2"
            $0.put("other\n", at: "/etc/sysctl.d/99-kopslite-net.ipv4.ip_local_port_range.conf")
        },
        KindCase("sysctl, to go", [SysctlTask("net.ipv4.ip_forward", value: "1", ensure: .absent)]) {
            $0.put("other\n", at: "/etc/sysctl.d/99-kopslite-net.ipv4.ip_forward.conf")
        },
        KindCase("kernelModule, new", [KernelModuleTask("br_netfilter")]),
        KindCase("kernelModule, drifted", [KernelModuleTask("br_netfilter")]) {
            $0.modules = ["br_netfilter"]
            $0.put("other\n", at: "/etc/modules-load.d/br_netfilter.conf")
        },
        KindCase("kernelModule, to go", [KernelModuleTask("br_netfilter", ensure: .absent)]) {
            $0.put("br_netfilter\n", at: "/etc/modules-load.d/br_netfilter.conf")
        },
    ]

    private static let tar = "cni/bin/a\tone\ncni/bin/b\ttwo\n"

    private static let contents = [
        KindCase("archive, new", [ArchiveTask("/c/t", sha256: digest(tar), path: "/opt/cni", stripComponents: 1)]) {
            $0.put(tar, at: "/c/t")
            $0.putDirectory("/opt")
        },
        KindCase("archive, drifted", [ArchiveTask("/c/t", sha256: digest(tar), path: "/opt/cni")]) {
            $0.put(tar, at: "/c/t")
            $0.put("old", at: "/opt/.cni.0123456789abcdef-0/x")
            $0.put("half", at: "/opt/.cni.0123456789abcdef-1.partial/x")
            $0.put("not ours", at: "/opt/.cni.backup/x")
            $0.files["/opt/cni"] = FakeMachine.Entry(.symlink, target: ".cni.0123456789abcdef-0", mode: 0o777)
        },
        KindCase("archive, to go", [ArchiveTask("/c/t", sha256: "", path: "/opt/cni", ensure: .absent)]) {
            $0.put("old", at: "/opt/.cni.0123456789abcdef-0/x")
            $0.files["/opt/cni"] = FakeMachine.Entry(.symlink, target: ".cni.0123456789abcdef-0", mode: 0o777)
        },
        KindCase("image, new", [ImageTask("/c/i", sha256: digest("image"), runtime: "docker")]) {
            $0.put("image", at: "/c/i")
            $0.images["docker"] = []
        },
        KindCase("image, gone from its runtime", [ImageTask("/c/i", sha256: digest("image"), runtime: "docker")]) {
            $0.put("image", at: "/c/i")
            $0.images["docker"] = ["sha256:other"]
            $0.put("{\"runtime\":\"docker\",\"identifiers\":[\"sha256:gone\"]}", at: note)
        },
        KindCase("image, with a broken note", [ImageTask("/c/i", sha256: digest("image"), runtime: "docker")]) {
            $0.put("image", at: "/c/i")
            $0.images["docker"] = []
            $0.put("{", at: note)
        },
        KindCase("image, to go", [
            ImageTask("/c/i", sha256: digest("image"), runtime: "docker", ensure: .absent)
        ]) {
            $0.images["docker"] = ["sha256:a", "sha256:b"]
            $0.put("{\"runtime\":\"docker\",\"identifiers\":[\"sha256:a\",\"sha256:b\"]}", at: note)
        },
    ]

    private static let note = FilePath("/var/lib/kopslite/images").appending("\(digest("image")).json")

    private static let certificates = [
        KindCase("certificate, new", [certificate(), FileTask("/srv/ca.json", contents: authorityJSON, secret: true)]),
        KindCase("certificate, of another key", [certificate(mode: 0o400)]) {
            issued(.fixture, in: &$0)
            $0.put(issue(.fixture).privateKey, at: "/etc/pki/k.key")
        },
        KindCase("certificate, of another profile", [certificate()]) {
            issued(CertificateProfile(commonName: "k", usages: [.client]), in: &$0)
        },
        KindCase("certificate, to go", [certificate(ensure: .absent)]) { issued(.fixture, in: &$0) },
    ]

    private static func certificate(mode: UInt16 = 0o600, ensure: Ensure = .present) -> CertificateTask {
        CertificateTask(
            certificate: "/etc/pki/k.crt", key: "/etc/pki/k.key", profile: .fixture, signer: .file("/srv/ca.json"),
            mode: mode, ensure: ensure, now: { fixedNow }
        )
    }

    private static func issued(_ profile: CertificateProfile, in machine: inout FakeMachine) {
        let issued = issue(profile)
        machine.put(issued.certificate, at: "/etc/pki/k.crt")
        machine.put(issued.privateKey, at: "/etc/pki/k.key", mode: 0o600)
        machine.put(authorityJSON, at: "/srv/ca.json")
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
        commonName: "k", organizations: ["system:nodes"], dnsNames: ["a.example", "b"], ipAddresses: ["10.0.0.1"],
        usages: [.server, .client]
    )
}
