// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// A file descriptor that closes itself.
struct Descriptor: ~Copyable {
    let raw: Int32

    init(_ raw: Int32) { self.raw = raw }

    deinit { close(raw) }
}

/// A name in a directory that is held open, so that what lies above it cannot change between two system calls.
struct Place: ~Copyable {
    /// A descriptor, or `AT_FDCWD` when `name` is an absolute path.
    let directory: Int32
    let name: String
    /// The path as it was asked for, for messages.
    let path: FilePath

    deinit { if directory >= 0 { close(directory) } }

    /// lstat(2); `nil` when nothing is there.
    func status() throws(Failure) -> stat? {
        var status = stat()
        if fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw .system(errno, "cannot look at", path)
    }

    /// Opens what is there.
    func open(_ flags: Int32, _ attempt: String) throws(Failure) -> Descriptor {
        let descriptor = openat(directory, name, flags | O_CLOEXEC)
        if descriptor < 0 { throw .system(errno, attempt, path) }
        return Descriptor(descriptor)
    }
}
