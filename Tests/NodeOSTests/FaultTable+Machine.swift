// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeTesting
import SystemPackage

@testable import NodeOS

private typealias Row = Fault<FaultBench>

extension FaultTableTests {
    /// What can and cannot be mounted.
    static let mounts: [Fault<FaultBench>] = [
        Row("a file system the kernel does not have", .permanent, "filesystem-unknown", "kernel module") { bench in
            try await bench.mount("none", "nosuchfs")
        },
        Row("a device that is not there yet", .waiting, "device-missing", "attach the device") { bench in
            try await bench.mount("\(bench.directory)/none", "ext4")
        },
        Row("a file in place of a device", .permanent, "not-a-block-device", "losetup") { bench in
            try await bench.mount(try await bench.image(1 << 20).string, "ext4")
        },
        Row("a device with another file system", .permanent, "mount-refused", "may hold no ext4") { bench in
            try await bench.withLoop(try await bench.image(1 << 20)) { try await bench.mount($0, "ext4") }
        },
        Row("an option the file system does not know", .permanent, "mount-refused", "nosuchoption") { bench in
            try await bench.mount("tmpfs", "tmpfs", ["nosuchoption=1"])
        },
        Row("a mount point that is not there", .permanent, "not-found", "correct the path") { bench in
            try await bench.mount("tmpfs", "tmpfs", on: bench.directory.appending("none"))
        },
        Row("a directory to be shown that is not there", .permanent, "not-found", "correct the path") { bench in
            try await bench.mount("\(bench.directory)/none", "none", ["bind"])
        },
        Row("a mount that is in use", .transient, "busy", "fuser -vm") { bench in
            try await bench.mount("tmpfs", "tmpfs")
            let file = open(bench.mountPoint.appending("f").string, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
            defer { close(file) }
            try await LiveNode().unmount(bench.mountPoint)
        },
    ]

    /// Devices that must not, or cannot, be formatted.
    static let disks: [Fault<FaultBench>] = [
        Row("a device to be formatted that is not there", .waiting, "device-missing", "attach the device") { bench in
            try await LiveNode().makeFilesystem("ext4", label: nil, on: bench.directory.appending("none"))
        },
        Row("a device with data", .permanent, "not-blank", "wipefs") { bench in
            let image = try await bench.image(4 << 20)
            let file = Descriptor(open(image.string, O_WRONLY | O_CLOEXEC))
            pwrite(file.raw, "x", 1, 5000)
            try await LiveNode().makeFilesystem("ext4", label: nil, on: image)
        },
        Row("a device that is too small", .permanent, "mkfs-failed", "large enough") { bench in
            let probe = BlockProbe(
                files: FileTree(root: "/"),
                runner: SubprocessRunner(),
                marks: bench.directory.appending("marks")
            )
            try await probe.makeFilesystem("ext4", label: nil, on: try await bench.image(4096))
        },
        Row("a file system without a program", .permanent, "command-not-found", "mkfs.nosuch") { bench in
            let probe = BlockProbe(
                files: FileTree(root: "/"),
                runner: SubprocessRunner(),
                marks: bench.directory.appending("marks")
            )
            try await probe.makeFilesystem("nosuch", label: nil, on: try await bench.image(1 << 20))
        },
        Row("words that are no file system", .permanent, "filesystem-unknown", "ext4") { bench in
            try await LiveNode().makeFilesystem("../sh", label: nil, on: try await bench.image(1 << 20))
        },
        Row("a device that cannot be probed", .transient, "probe-failed", "dmesg") { bench in
            let words = "blkid: error: /dev/sdb: Input/output error\n"
            _ = try await bench.node("blkid", 4, words).blockDevice(try await bench.image(1 << 20))
        },
        // The device has lost what its backing file no longer has.
        Row("a device that fails to read", .permanent, "input-output-error", "dmesg") { bench in
            let image = try await bench.image(4 << 20)
            try await bench.withLoop(image) { device in
                truncate(image.string, 0)
                _ = try await LiveNode().blockDevice(FilePath(device))
            }
        },
    ]

    /// Kernel settings and modules: this machine's own kernel refuses.
    static let kernel: [Fault<FaultBench>] = [
        Row("a module the kernel does not have", .permanent, "module-not-loaded", "install the package") { _ in
            try await LiveNode().loadKernelModule("no_such_module")
        },
        Row("words that are no module", .permanent, "module-name-invalid", "letters, digits") { _ in
            try await LiveNode().loadKernelModule("../x")
        },
        Row("a setting the kernel does not have", .permanent, "not-found", "load the kernel module") { _ in
            try await LiveNode().setSysctl("no.such.setting", to: "1")
        },
        Row("a setting nobody may set", .permanent, "permission-denied", "the kernel lets nobody") { _ in
            try await LiveNode().setSysctl("kernel.ostype", to: "Linux")
        },
        Row("a value out of range", .permanent, "invalid-argument", "takes no such value") { _ in
            try await LiveNode().setSysctl("net.ipv4.ip_local_port_range", to: "70000 80000")
        },
        Row("words that are no setting", .permanent, "sysctl-key-invalid", "net.ipv4.ip_forward") { _ in
            try await LiveNode().setSysctl("a..b", to: "1")
        },
    ]
}

extension FaultBench {
    fileprivate var mountPoint: FilePath { directory.appending("mnt") }

    fileprivate func mount(
        _ source: String,
        _ filesystem: String,
        _ options: [String] = [],
        on path: FilePath? = nil
    ) async throws {
        try await LiveNode().makeDirectory(mountPoint, attributes: FileAttributes())
        let mount = MountEntry(source: source, path: path ?? mountPoint, filesystem: filesystem, options: options)
        try await LiveNode().mount(mount)
    }
}
