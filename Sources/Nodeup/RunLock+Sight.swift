// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import SystemPackage

extension RunLock {
    /// What can be seen of the lock without keeping it; two that are equal say that no run began in between.
    struct Sight: Sendable, Equatable {
        /// Whether a run goes on.
        var isHeld: Bool
        /// ` (pid 42)` of the run that goes on or was the last; empty when that is unknown.
        var owner: String
        /// When the last run began, in nanoseconds.
        var began: Int64
    }

    /// Whether this process is at work below a root now; a number alone may have gone to another process since.
    static func isHeld(below root: FilePath, by pid: Int32) -> Bool {
        guard let sight = try? look(below: root) else { return false }
        return sight.isHeld && sight.owner == " (pid \(pid))"
    }

    /// Looks at the lock, and writes nothing.
    static func look(below root: FilePath) throws -> Sight {
        let path = path(below: root)
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow])
        } catch Errno.noSuchFileOrDirectory {
            return Sight(isHeld: false, owner: "", began: 0)
        }
        return try descriptor.closeAfter {
            var status = stat()
            guard fstat(descriptor.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
            let isFree = flock(descriptor.rawValue, LOCK_SH | LOCK_NB) == 0
            if isFree { flock(descriptor.rawValue, LOCK_UN) }
            return Sight(
                isHeld: !isFree,
                owner: owner(of: descriptor),
                began: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
            )
        }
    }
}
