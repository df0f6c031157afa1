// SPDX-License-Identifier: Apache-2.0
import NodeOS
import SystemPackage

/// Finds the device of a volume by what the disk says of itself.
///
/// The kernel's own names follow the order in which it found the disks, which is another one at each boot.
///
/// - Source: sysfs(5); `/sys/block/<name>/device/serial` for NVMe (20 bytes, filled up with blanks), `/sys/block/<name>/serial`
///   for virtio, which cuts off after 20 bytes. NVMe volumes of AWS leave the dash of `vol-0123456789abcdef0` out.
struct DeviceNames: Sendable {
    private let node: any NodeReader
    private let sysfs: FilePath

    /// What both kinds of disk have room for.
    private static let serialBytes = 20

    init(node: any NodeReader, sysfs: FilePath = "/sys/block") {
        self.node = node
        self.sysfs = sysfs
    }

    /// The device of a volume, which may still have to appear.
    ///
    /// - Throws: ``Failure`` `volume-not-attached` (waiting) while no disk has its serial number, `volume-serial-ambiguous`
    ///   (permanent) when several have, `volume-unnamed` (permanent) when nothing tells.
    func device(of volume: AnnouncedVolume) async throws -> FilePath {
        guard let serial = volume.serial else {
            if let device = volume.device, device.hasPrefix("/") { return FilePath(device) }
            throw Failure(
                .permanent,
                code: "volume-unnamed",
                "volume \(volume.name) is announced without a serial number and without a device's path",
                hint: "announce its serial number, or a path such as /dev/disk/by-id/…"
            )
        }
        let names = try await names(of: serial)
        guard let name = names.first else {
            throw Failure(
                .waiting,
                code: "volume-not-attached",
                "no disk below \(sysfs) has the serial number \(serial) of volume \(volume.name)",
                hint: "attach the volume to this machine, or correct its serial number (lsblk --output NAME,SERIAL)"
            )
        }
        guard names.count == 1 else {
            throw Failure(
                .permanent,
                code: "volume-serial-ambiguous",
                "disks \(names.joined(separator: ", ")) have the serial number \(serial) of volume \(volume.name)",
                hint: "announce the volume by a path such as /dev/disk/by-id/…"
            )
        }
        return FilePath("/dev").appending(name)
    }

    /// The disks with a serial number, in the kernel's names.
    private func names(of serial: String) async throws -> [String] {
        let wanted = Self.forms(of: serial)
        guard !wanted.isEmpty else { return [] }
        var names: [String] = []
        for name in try await node.list(sysfs) where await !isHidden(name) {
            for file in ["serial", "device/serial"] {
                guard let found = await text(name, file), wanted.contains(found) else { continue }
                names.append(name)
                break
            }
        }
        return names
    }

    /// How a disk may show a serial number: with dashes or without, whole or cut off.
    private static func forms(of serial: String) -> Set<String> {
        let plain = serial.filter { $0 != "-" }
        guard !plain.isEmpty else { return [] }
        return Set([serial, plain].flatMap { [$0, String(decoding: $0.utf8.prefix(serialBytes), as: UTF8.self)] })
    }

    /// One of several ways to a disk, which the kernel shows and which cannot be opened.
    private func isHidden(_ name: String) async -> Bool { await text(name, "hidden") == "1" }

    private func text(_ name: String, _ file: String) async -> String? {
        let path = sysfs.appending(name).pushing(FilePath(file))
        // A disk that fails, or that has just gone, has no say in which disk another volume is.
        guard let bytes = try? await node.read(path) else { return nil }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
