// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// A lock that a package manager takes with fcntl(2), looked at from outside.
struct LockFile: Sendable {
    let path: FilePath

    /// Who holds a lock.
    struct Owner: Sendable, Equatable, CustomStringConvertible {
        let pid: Int32
        /// Its command line, at most 80 characters; empty when it is gone or out of sight.
        let command: String

        /// The process of a number, with its command line as it is now.
        init(pid: Int32) {
            self.pid = pid
            let bytes = (try? FileTree(root: "/").read(FilePath("/proc/\(pid)/cmdline"))) ?? []
            let words = String(decoding: bytes.map { $0 == 0 ? 32 : $0 }, as: UTF8.self).split(separator: " ")
            command = String(words.joined(separator: " ").prefix(80))
        }

        var description: String {
            // The kernel shows no number of a process in another namespace.
            guard pid > 0 else { return "a process outside of this machine's sight" }
            return "process \(pid)" + (command.isEmpty ? "" : " (\(command))")
        }
    }

    /// Refuses to go on while somebody holds the lock.
    func expectFree() throws(Failure) {
        if let owner = try owner() { throw .busy(path, heldBy: owner) }
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
        return Owner(pid: lock.l_pid)
    }
}
