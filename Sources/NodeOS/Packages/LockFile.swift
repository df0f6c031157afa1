// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// A lock that dpkg or apt takes with fcntl(2), looked at from outside.
struct LockFile: Sendable {
    let path: FilePath

    /// Who holds a lock.
    struct Owner: Sendable, Equatable, CustomStringConvertible {
        let pid: Int32
        /// Its command line, at most 80 characters; empty when it is gone or out of sight.
        let command: String

        var description: String { "process \(pid)" + (command.isEmpty ? "" : " (\(command))") }
    }

    /// The process that holds the lock; `nil` when nobody does.
    func owner() throws(Failure) -> Owner? {
        let descriptor = open(path.string, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw .system(errno, "cannot look at the lock", path)
        }
        defer { close(descriptor) }
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        if fcntl(descriptor, F_GETLK, &lock) != 0 { throw .system(errno, "cannot look at the lock", path) }
        guard lock.l_type != Int16(F_UNLCK) else { return nil }
        return Owner(pid: lock.l_pid, command: Self.command(of: lock.l_pid))
    }

    private static func command(of pid: Int32) -> String {
        let bytes = (try? FileTree(root: "/").read(FilePath("/proc/\(pid)/cmdline"))) ?? []
        let words = String(decoding: bytes.map { $0 == 0 ? 32 : $0 }, as: UTF8.self).split(separator: " ")
        return String(words.joined(separator: " ").prefix(80))
    }
}
