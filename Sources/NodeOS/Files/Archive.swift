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
                "cannot extract \(archive): the directory \(directory) is not there"
            )
        }
        let source = try files.sourcePath(of: archive)
        let command = Self.command(source, into: try files.hostPath(of: directory), stripComponents)
        let result = try await runner.result(of: command)
        guard result.code != 0 else { return }
        let errors = String(decoding: result.errors, as: UTF8.self)
        if errors.contains("Cannot exec") {
            throw command.failure(
                result,
                code: "command-not-found",
                .permanent,
                hint: "install the decompressor (xz-utils, gzip)"
            )
        }
        if errors.contains("No space left on device") {
            throw command.failure(result, code: "disk-full", .permanent, hint: "free space below \(directory)")
        }
        throw command.failure(
            result,
            code: "archive-invalid",
            .permanent,
            hint: "the archive is damaged, or has members that would land outside of \(directory)"
        )
    }

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
