// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import SystemPackage

/// A file that gets its name only when it is complete.
///
/// The temporary stands in the target's directory as `.kopslite-<16 hex digits>` and is locked (flock(2)) while its
/// writer lives, so that a crashed writer's leftover is told from one that is still being written.
struct AtomicFile: ~Copyable {
    /// How every temporary's name begins.
    static let prefix = ".kopslite-"

    /// The temporary, open for writing.
    let descriptor: Int32
    private let directory: Int32
    private let name: String
    private let path: FilePath

    /// Creates the temporary; `directory` must stay open for as long as this value lives.
    init(in directory: Int32, for path: FilePath) throws(Failure) {
        while true {
            let name = Self.newName()
            let descriptor = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            if descriptor < 0 { throw .system(errno, "cannot create a temporary file for", path) }
            var status = stat()
            guard flock(descriptor, LOCK_EX) == 0, fstat(descriptor, &status) == 0 else {
                let number = errno
                unlinkat(directory, name, 0)
                close(descriptor)
                throw .system(number, "cannot lock a temporary file for", path)
            }
            // Someone who sweeps may have taken the name before it was locked; then there is no link left.
            if status.st_nlink == 1 {
                self.descriptor = descriptor
                self.directory = directory
                self.name = name
                self.path = path
                return
            }
            close(descriptor)
        }
    }

    deinit { close(descriptor) }

    /// A name nobody else has.
    static func newName() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return prefix + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Owner, mode, fsync, rename, fsync of the directory: in this order, so that the name never shows less.
    ///
    /// When it fails before the rename, the temporary is gone.
    consuming func commit(as target: String, _ attributes: FileAttributes) throws(Failure) {
        do throws(Failure) {
            try setOwnerAndMode(attributes)
            if fsync(descriptor) != 0 { throw .system(errno, "cannot flush to disk", path) }
            if renameat(directory, name, directory, target) != 0 {
                throw errno == EBUSY ? .mounted(path, "cannot replace") : .system(errno, "cannot put in place", path)
            }
        } catch {
            unlinkat(directory, name, 0)
            throw error
        }
        if fsync(directory) != 0 { throw .system(errno, "cannot flush the directory of", path) }
    }

    /// Removes the temporary.
    consuming func discard() { unlinkat(directory, name, 0) }

    static let noOwners = "run as root; on a file system without owners (findmnt -T) leave owner and group out"

    private func setOwnerAndMode(_ attributes: FileAttributes) throws(Failure) {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw .system(errno, "cannot look at", path) }
        let uid = attributes.uid ?? 0
        let gid = attributes.gid ?? 0
        if status.st_uid != uid || status.st_gid != gid, fchown(descriptor, uid, gid) != 0 {
            throw .system(errno, "cannot set the owner of", path, hint: errno == EPERM ? Self.noOwners : nil)
        }
        // After the owner, because chown(2) clears the set-user-ID bit.
        if fchmod(descriptor, mode_t(attributes.mode ?? 0o644)) != 0 {
            throw .system(errno, "cannot set the mode of", path)
        }
    }
}

/// The directories that were cleared of leftovers: once each, since only a crash leaves any.
final class SweptDirectories: Sendable {
    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private let seen = Mutex<Set<Identity>>([])

    /// Removes the temporaries that no living writer holds.
    func sweep(_ directory: Int32, _ path: FilePath) throws(Failure) {
        var status = stat()
        guard fstat(directory, &status) == 0 else { throw .system(errno, "cannot look at the directory of", path) }
        let identity = Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        guard seen.withLock({ $0.insert(identity).inserted }) else { return }
        for name in try names(in: directory, path) where name.hasPrefix(AtomicFile.prefix) {
            removeLeftover(name, in: directory)
        }
    }

    private func removeLeftover(_ name: String, in directory: Int32) {
        let descriptor = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        // A link cannot be locked; whoever is making one tries again when it is gone.
        if descriptor < 0 {
            if errno == ELOOP { unlinkat(directory, name, 0) }
            return
        }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlinkat(directory, name, 0) }
        close(descriptor)
    }
}
