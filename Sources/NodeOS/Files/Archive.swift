// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Extracts archives with tar(1), which finds out by itself how they are compressed.
struct Archive: Sendable {
    let files: FileTree
    let runner: any CommandRunner

    /// Extracts into an existing directory; everything belongs to root afterwards, modes are kept.
    ///
    /// GNU tar strips a leading `/` from names and targets of hard links, refuses members with `..`, and never writes
    /// through a symbolic link of the archive; all that is left on because `--absolute-names` is not given.
    func extract(_ archive: FilePath, into directory: FilePath, stripComponents: Int) async throws {
        guard try files.status(of: directory) != nil else {
            throw Failure(
                .permanent,
                code: "not-found",
                "cannot extract \(archive): the directory \(directory) is not there",
                hint: "make the directory \(directory) first"
            )
        }
        let source = try files.sourcePath(of: archive)
        let command = Self.command(source, into: try files.hostPath(of: directory), stripComponents)
        let result = try await runner.result(of: command)
        guard result.code != 0 else { return }
        let errors = String(decoding: result.errors, as: UTF8.self)
        let known = Self.refusals.first { errors.contains($0.words) }
        throw command.failure(
            result,
            code: known?.code ?? "archive-invalid",
            .permanent,
            hint: known?.hint
                ?? "fetch it again: it is damaged, or has members that would land outside of \(directory)"
        )
    }

    /// What tar says when it is not the archive that is at fault.
    private static let refusals: [(words: String, code: String, hint: String)] = [
        ("Cannot exec", "command-not-found", "install the decompressor (xz-utils, gzip)"),
        ("No space left on device", "disk-full", "free space or inodes where it is extracted (df -h, df -i)"),
        // A write that the disk takes in part is no error to the kernel yet, and tar does not try the rest.
        ("Wrote only", "disk-full", "free space where it is extracted (df -h)"),
        ("Disk quota exceeded", "quota-exceeded", "free space, or raise the quota of the owner (quota, xfs_quota)"),
        ("Read-only file system", "read-only-filesystem", "remount it read-write, or choose a path on another one"),
        ("Input/output error", "input-output-error", "the device may be failing; see dmesg, and replace it"),
    ]

    static func command(_ archive: FilePath, into directory: FilePath, _ stripComponents: Int) -> Command {
        let strip = stripComponents > 0 ? ["--strip-components=\(stripComponents)"] : []
        return Command(
            "tar",
            ["--extract", "--file=\(archive)", "--directory=\(directory)", "--no-same-owner", "--same-permissions"]
                + strip,
            timeout: .seconds(900)
        )
    }
}
