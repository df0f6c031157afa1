// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// Repairs what an interruption left inconsistent, before a file system is mounted.
public protocol FilesystemChecker: Sendable {
    /// Checks an unmounted file system; a clean one is left alone.
    ///
    /// - Throws: ``Failure`` `volume-damaged` (permanent) when only a person may decide what to repair.
    func check(_ device: FilePath, filesystem: String) async throws
}

/// Checks ext4 by `e2fsck -p`, which looks at the superblock's state first and so costs nothing when clean.
///
/// - Source: e2fsck(8), EXIT CODE. xfs replays its journal at mount and has no check before it, fsck.xfs(8).
public struct Fsck: FilesystemChecker {
    private let runner: any CommandRunner

    /// Makes a checker that runs e2fsck on this machine.
    public init(runner: any CommandRunner = SubprocessRunner()) { self.runner = runner }

    /// Checks an unmounted file system.
    public func check(_ device: FilePath, filesystem: String) async throws {
        guard filesystem == "ext4" else { return }
        // A large volume whose journal must be replayed takes its time; killing the repair would make it worse.
        let command = Command("e2fsck", ["-p", device.string], timeout: .seconds(1800))
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
}
