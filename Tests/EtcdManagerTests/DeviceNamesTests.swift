// SPDX-License-Identifier: Apache-2.0
import NodeOS
import SystemPackage
import Testing

@testable import EtcdManager

/// Volumes by what their disks say of themselves, on a tree as sysfs has it: links into `devices`.
@Suite struct DeviceNamesTests {
    struct Disk {
        var name: String
        var file = "device/serial"
        var serial: String
        var isHidden = false
    }

    func device(of serial: String, among disks: [Disk]) async throws -> FilePath {
        let root = FilePath("/tmp/sysfs-\(UInt64.random(in: .min ... .max))")
        let node = LiveNode()
        for disk in disks {
            let place = root.appending("devices").appending("pci-of-\(disk.name)")
            let file = place.pushing(FilePath(disk.file))
            try await node.makeDirectory(file.removingLastComponent(), attributes: FileAttributes())
            try await node.write(Array(disk.serial.utf8), to: file, attributes: FileAttributes())
            let hidden = disk.isHidden ? "1\n" : "0\n"
            try await node.write(Array(hidden.utf8), to: place.appending("hidden"), attributes: FileAttributes())
            try await node.makeDirectory(root.appending("block"), attributes: FileAttributes())
            try await node.link(root.appending("block").appending(disk.name), to: place.string)
        }
        let names = DeviceNames(node: node, sysfs: root.appending("block"))
        let result: Result<FilePath, any Error>
        do {
            result = .success(
                try await names.device(of: AnnouncedVolume(name: "v", device: "/dev/xvdf", serial: serial, labels: [:]))
            )
        } catch {
            result = .failure(error)
        }
        try await node.remove(root)
        return try result.get()
    }

    func expect(_ code: String, _ kind: Failure.Class, _ serial: String, among disks: [Disk]) async {
        let failure = await #expect(throws: Failure.self) { try await device(of: serial, among: disks) }
        #expect(failure?.code == code, "\(failure?.chain ?? "")")
        #expect(failure?.kind == kind)
        #expect(failure?.hint?.isEmpty == false)
    }

    /// The root disk comes first or last, as the kernel finds them.
    @Test(arguments: ["nvme0n1", "nvme2n1"])
    func anNVMeVolumeIsFoundWithoutItsDashAndWithBlanksAround(root: String) async throws {
        let disks = [
            Disk(name: root, serial: "vol0fedcba9876543210\n"),
            Disk(name: "nvme1n1", serial: "vol0123456789abcdef0  \n"),
        ]
        #expect(try await device(of: "vol-0123456789abcdef0", among: disks) == "/dev/nvme1n1")
        #expect(try await device(of: "vol-0fedcba9876543210", among: disks) == FilePath("/dev/\(root)"))
    }

    @Test func aVirtioVolumeIsFoundByItsFirstTwentyBytes() async throws {
        let disks = [
            Disk(name: "vda", file: "serial", serial: ""),
            Disk(name: "vdb", file: "serial", serial: "3c1b8a5e-9a0e-4c4d-b"),
            Disk(name: "vdc", file: "serial", serial: "3c1b8a5e-9a0e-4c4d-c"),
        ]
        #expect(try await device(of: "3c1b8a5e-9a0e-4c4d-b2f3-0a1b2c3d4e5f", among: disks) == "/dev/vdb")
    }

    @Test func severalWithOneSerialNumberAreAQuestionForAPerson() async throws {
        let disks = [
            Disk(name: "vdb", file: "serial", serial: "3c1b8a5e-9a0e-4c4d-b"),
            Disk(name: "vdc", file: "serial", serial: "3c1b8a5e-9a0e-4c4d-b"),
        ]
        await expect("volume-serial-ambiguous", .permanent, "3c1b8a5e-9a0e-4c4d-b2f3-0a1b2c3d4e5f", among: disks)
        let paths = [
            Disk(name: "nvme0c0n1", serial: "vol0123456789abcdef0", isHidden: true),
            Disk(name: "nvme0n1", serial: "vol0123456789abcdef0"),
        ]
        #expect(try await device(of: "vol-0123456789abcdef0", among: paths) == "/dev/nvme0n1", "one disk by two ways")
    }

    @Test(arguments: ["vol-0123456789abcdef1", "vol-0123456789abcdef", "", "-"])
    func aVolumeThatNoDiskIsIsAwaited(serial: String) async throws {
        let disks = [
            Disk(name: "nvme1n1", serial: "vol0123456789abcdef0"), Disk(name: "vda", file: "serial", serial: ""),
        ]
        await expect("volume-not-attached", .waiting, serial, among: disks)
        await expect("volume-not-attached", .waiting, serial, among: [])
    }
}
