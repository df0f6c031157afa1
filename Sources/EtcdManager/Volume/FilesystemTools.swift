// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// Looks after file systems that are there.
public protocol FilesystemTools: Sendable {
    /// Checks an unmounted file system and repairs what an interruption left; a clean one is left alone.
    ///
    /// - Throws: ``Failure`` `volume-damaged` (permanent) when only a person may decide what to repair.
    func check(_ device: FilePath, filesystem: String) async throws
    /// Makes a mounted file system as large as its device; one that is as large is left alone.
    ///
    /// - Throws: ``Failure`` `volume-not-grown` (permanent).
    func grow(_ device: FilePath, filesystem: String, mountPoint: FilePath) async throws
}

/// The programs of e2fsprogs and xfsprogs on this machine.
public struct FilesystemPrograms: FilesystemTools {
    private let runner: any CommandRunner

    /// A large volume takes its time; killing a program that is at it would make things worse.
    private static let timeout: Duration = .seconds(1800)

    /// Makes tools that run programs of this machine.
    public init(runner: any CommandRunner = SubprocessRunner()) { self.runner = runner }

    /// Checks ext4 by `e2fsck -p`, which looks at the superblock's state first and so costs nothing when clean.
    ///
    /// - Source: e2fsck(8), EXIT CODE. xfs replays its journal at mount and has no check before it, fsck.xfs(8).
    public func check(_ device: FilePath, filesystem: String) async throws {
        guard filesystem == "ext4" else { return }
        let command = Command("e2fsck", ["-p", device.string], timeout: Self.timeout)
        let result = try await runner.result(of: command)
        // Bits: 1 repaired; 2 repaired and reboot, which is for mounted file systems; 4 left as it was.
        if result.code & ~3 == 0 { return }
        guard result.code < 128, result.code & 4 != 0 else {
            throw command.failure(result, code: "fsck-failed", .transient)
        }
        let said = result.text.split(whereSeparator: \.isNewline).last.map(String.init) ?? result.lastErrors
        throw Failure(
            .permanent,
            code: "volume-damaged",
            "\(device) has damage that e2fsck -p does not repair by itself: \(said)",
            hint: "copy the volume, then run `e2fsck \(device)` by hand"
        )
    }

    /// Grows ext4 by `resize2fs`, which is told the device, and xfs by `xfs_growfs`, which is told the mount point.
    ///
    /// - Source: resize2fs(8), xfs_growfs(8): both take all of the device and do nothing where nothing is left.
    public func grow(_ device: FilePath, filesystem: String, mountPoint: FilePath) async throws {
        let command =
            switch filesystem {
            case "xfs": Command("xfs_growfs", ["-d", mountPoint.string], timeout: Self.timeout)
            default: Command("resize2fs", [device.string], timeout: Self.timeout)
            }
        let package = filesystem == "xfs" ? "xfsprogs" : "e2fsprogs"
        do {
            try await runner.run(command)
        } catch let failure as Failure {
            throw Failure(
                .permanent,
                code: "volume-not-grown",
                "the \(filesystem) on \(device) could not be made as large as the device",
                hint:
                    "install \(package), and see dmesg; resizing needs CAP_SYS_RESOURCE, which root of a container may lack;"
                    + " etcd goes on with the room there is",
                cause: failure
            )
        }
    }
}
