// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import SystemPackage

/// A loop device in use (loop(4)).
struct LoopDevice: Sendable, Equatable {
    /// Such as `/dev/loop0`.
    var path: String
    var inode: UInt64
    /// The backing file's device as `major:minor`.
    var deviceNumbers: String
    /// The backing file's path as its opener saw it: inside a machine, when the machine opened it.
    var backingFile: String

    /// Whether it shows this file.
    ///
    /// Paths do not tell: they differ between mount namespaces.
    func shows(_ file: LocalFiles.Identity) -> Bool { inode == file.inode && deviceNumbers == file.deviceNumbers }

    /// All that are in use on the host, its machines included: there is one set for all.
    static func all() async throws -> [LoopDevice] {
        let columns = "NAME,BACK-INO,BACK-MAJ:MIN,BACK-FILE"
        let text = try await LocalCommand("losetup", "--list", "--json", "--output", columns).run()
        return try parse(text)
    }

    /// Reads what losetup(8) prints as JSON; nothing at all when no device is in use.
    static func parse(_ text: String) throws -> [LoopDevice] {
        guard text.contains("{") else { return [] }
        return (try JSONValue(parsing: Array(text.utf8))["loopdevices"]?.array ?? []).compactMap { device in
            guard let path = device["name"]?.string, let inode = UInt64(plain(device["back-ino"])) else { return nil }
            return LoopDevice(
                path: path,
                inode: inode,
                deviceNumbers: plain(device["back-maj:min"]).filter { $0 != " " },
                backingFile: plain(device["back-file"])
            )
        }
    }

    /// Attaches a file; one that is attached stays where it is.
    static func attach(_ image: FilePath) async throws -> LoopDevice {
        func present() async throws -> LoopDevice? {
            guard let file = LocalFiles.identity(of: image) else { return nil }
            return try await all().first { $0.shows(file) }
        }
        if let device = try await present() { return device }
        try await LocalCommand("losetup", "--find", image.string).run()
        guard let device = try await present() else {
            throw Failure(.transient, code: "volume-not-attached", "\(image) was attached and is no loop device's file")
        }
        return device
    }

    /// Lets every device that shows a file see that the file has grown, and the kernel tell of it.
    static func resize(_ image: FilePath) async throws {
        guard let file = LocalFiles.identity(of: image) else { return }
        for device in try await all() where device.shows(file) {
            try await LocalCommand("losetup", "--set-capacity", device.path).run()
        }
    }

    /// Lets go of the backing file; the kernel does so itself when a last user is still there.
    func detach() async throws { try await LocalCommand("losetup", "--detach", path).run() }

    // Numbers became numbers in JSON only with util-linux 2.33, and the device's are padded on both sides.
    private static func plain(_ value: JSONValue?) -> String {
        switch value {
        case .int(let number): String(number)
        case .string(let text): text
        default: ""
        }
    }
}
