// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTasks
import NodeTesting
import PKI
import SystemPackage

extension KindCase {
    private static let blank = BlockDeviceStatus(signature: nil, endsAreZero: true, size: 1 << 30)

    static let disks = [
        KindCase("filesystem, new", [FilesystemTask(device: "/dev/sdb", type: "ext4", label: "etcd-main")]) {
            $0.devices["/dev/sdb"] = blank
        },
        KindCase(
            "mount, new",
            [
                MountTask(
                    device: "/dev/disk/by-id/b",
                    path: "/mnt/b",
                    filesystem: "ext4",
                    options: ["noatime", "commit=9"]
                ),
                FilesystemTask(device: "/dev/sdb", type: "ext4"), FileTask("/mnt/b/x", contents: "x"),
                SymlinkTask("/dev/disk/by-id/b", target: "../../sdb"),
            ]
        ) { $0.devices = ["/dev/sdb": blank, "/dev/disk/by-id/b": formatted] },
        KindCase("mount, tmpfs", [MountTask(device: "tmpfs", path: "/scratch", filesystem: "tmpfs")]),
        KindCase(
            "mount, drifted",
            [
                MountTask(device: "/dev/sdb", path: "/mnt", filesystem: "ext4", options: ["rw", "nodev"])
            ]
        ) {
            $0.putDirectory("/mnt")
            $0.mounts.append(MountEntry(source: "/dev/sdb", path: "/mnt", filesystem: "ext4", options: ["ro"]))
        },
        KindCase(
            "mount, to go",
            [
                MountTask(device: "", path: "/mnt/a", filesystem: "", ensure: .absent),
                DirectoryTask("/mnt", ensure: .absent),
            ]
        ) {
            $0.putDirectory("/mnt/a")
            $0.mounts.append(MountEntry(source: "/dev/sdb", path: "/mnt/a", filesystem: "ext4", options: ["rw"]))
        },
        KindCase(
            "bindMount, new",
            [
                BindMountTask("/srv/a", path: "/var/lib/b/c", options: ["ro"]), DirectoryTask("/srv/a"),
            ]
        ),
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

    static let kernel = [
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

    static let contents = [
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
        KindCase(
            "image, to go",
            [
                ImageTask("/c/i", sha256: digest("image"), runtime: "docker", ensure: .absent)
            ]
        ) {
            $0.images["docker"] = ["sha256:a", "sha256:b"]
            $0.put("{\"runtime\":\"docker\",\"identifiers\":[\"sha256:a\",\"sha256:b\"]}", at: note)
        },
    ]

    private static let note = FilePath("/var/lib/kopslite/images/docker").appending("\(digest("image")).json")

    static let certificates = [
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
            certificate: "/etc/pki/k.crt",
            key: "/etc/pki/k.key",
            profile: .fixture,
            signer: .file("/srv/ca.json"),
            mode: mode,
            ensure: ensure,
            now: { fixedNow }
        )
    }

    private static func issued(_ profile: CertificateProfile, in machine: inout FakeMachine) {
        let issued = issue(profile)
        machine.put(issued.certificate, at: "/etc/pki/k.crt")
        machine.put(issued.privateKey, at: "/etc/pki/k.key", mode: 0o600)
        machine.put(authorityJSON, at: "/srv/ca.json")
    }
}
