// SPDX-License-Identifier: Apache-2.0
import NodeOS
import SystemPackage

/// What all machines' roots stand on: the base, unpacked once and never written to.
///
/// It is a cache outside of any cluster, named by the archive's digest. Anyone may delete it while no machine that
/// stands on it is there; nothing else refers to it.
struct LocalBase: Sendable {
    /// A tar archive, or a directory that is used where it is.
    let source: FilePath
    let cache: FilePath

    /// The directory, unpacked if it was not.
    func prepare(waiting host: LocalHost) async throws -> FilePath {
        guard LocalFiles.exists(source) else {
            throw Failure(
                .permanent,
                code: "base-missing",
                "there is no root file system for machines at \(source)",
                hint: "run `make assets`, or name another file repository"
            )
        }
        guard !LocalFiles.isDirectory(source) else { return source }
        let digest = try await LocalCommand("sha256sum", "--", source.string).run().prefix(64)
        let directory = cache.appending(String(digest))
        guard !LocalFiles.isDirectory(directory) else { return directory }
        try LocalFiles.makeDirectory(cache, mode: .ownerReadWriteExecute)
        // Another cluster's program may be at it: it has what we want when it is done.
        try await LocalLock.hold(cache, waiting: host) {
            guard !LocalFiles.isDirectory(directory) else { return }
            let unfinished = FilePath(directory.string + ".partial")
            try await LocalRootFileSystem.remove(unfinished)
            try LocalFiles.makeDirectory(unfinished)
            try await LocalCommand(
                "tar",
                "--extract",
                "--file",
                source.string,
                "--directory",
                unfinished.string,
                "--numeric-owner",
                "--xattrs",
                "--xattrs-include=security.*"
            ).run()
            try LocalFiles.rename(unfinished, to: directory)
        }
        return directory
    }
}
