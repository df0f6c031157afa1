// SPDX-License-Identifier: Apache-2.0
import NodeOS
import SystemPackage

/// What is mounted on the host for machines.
enum LocalMounts {
    /// The paths mounts are on, in the kernel's order (proc(5), mounts); blanks in them are written as `\040`.
    static func paths() -> [String] {
        (LocalFiles.text("/proc/self/mounts") ?? "").split(separator: "\n").compactMap { line in
            line.split(separator: " ").dropFirst().first.map(String.init)
        }
    }

    static func isMounted(_ path: FilePath) -> Bool { paths().contains(path.string) }

    /// Unmounts a directory and everything below it, the last first.
    static func unmount(below directory: FilePath) async throws {
        for path in paths().reversed() where path == directory.string || path.hasPrefix(directory.string + "/") {
            let command = LocalCommand("umount", path)
            // Somebody's shell may stand in it; it keeps what it sees, and the path is free.
            if try await command.execute().status != 0 { try await LocalCommand("umount", "--lazy", path).run() }
        }
    }
}
