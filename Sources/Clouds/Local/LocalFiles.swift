// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import SystemPackage

/// Files of the host, by system calls.
enum LocalFiles {
    /// What names a file wherever it is mounted.
    struct Identity: Hashable, Sendable {
        var device: UInt64
        var inode: UInt64

        /// The device as `major:minor`, as losetup(8) prints it.
        var deviceNumbers: String {
            // makedev(3): 12 bits of the major number and the low 8 of the minor in the middle and at the bottom.
            let major = (device >> 8 & 0xFFF) | (device >> 32 & ~0xFFF)
            let minor = (device & 0xFF) | (device >> 12 & 0xFFFF_FF00)
            return "\(major):\(minor)"
        }
    }

    /// Whether something is there, be it a dangling link.
    static func exists(_ path: FilePath) -> Bool {
        var status = stat()
        return lstat(path.string, &status) == 0
    }

    static func isDirectory(_ path: FilePath) -> Bool {
        var status = stat()
        return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    static func identity(of path: FilePath) -> Identity? {
        var status = stat()
        guard stat(path.string, &status) == 0 else { return nil }
        return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    /// In bytes; `nil` when nothing is there.
    static func size(of path: FilePath) -> Int64? {
        var status = stat()
        return stat(path.string, &status) == 0 ? Int64(status.st_size) : nil
    }

    /// A file's bytes; `nil` when there is no such file.
    static func read(_ path: FilePath) throws -> [UInt8]? {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                var bytes: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 65536)
                while case let count = try buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
                    bytes += buffer[..<count]
                }
                return bytes
            }
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch {
            throw failure("read", path, error)
        }
    }

    /// A kernel file's text without the final newline; `nil` when it cannot be read: its process or group may just end.
    static func text(_ path: FilePath) -> String? {
        guard let bytes = try? read(path) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// The names in a directory, sorted; empty when it is not there.
    static func list(_ path: FilePath) -> [String] {
        guard let directory = opendir(path.string) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Replaces a file: temporary name, mode, fsync(2), rename(2).
    static func write(
        _ bytes: [UInt8],
        to path: FilePath,
        mode: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]
    )
        throws
    {
        let temporary = FilePath(path.string + ".new")
        do {
            let file = try FileDescriptor.open(
                temporary,
                .writeOnly,
                options: [.create, .truncate, .closeOnExec],
                permissions: mode
            )
            try file.closeAfter {
                // The mode given to open(2) is only for a new file, and minus the umask.
                try check(fchmod(file.rawValue, mode.rawValue))
                try file.writeAll(bytes)
                try check(fsync(file.rawValue))
            }
            try check(Glibc.rename(temporary.string, path.string))
        } catch {
            throw failure("write", path, error)
        }
    }

    /// Writes into a file that stays the same file, as the kernel's do.
    static func overwrite(_ path: FilePath, _ text: String) throws {
        do {
            let file = try FileDescriptor.open(path, .writeOnly, options: .closeOnExec)
            _ = try file.closeAfter { try file.writeAll(text.utf8) }
        } catch {
            throw failure("write \"\(text)\" to", path, error)
        }
    }

    /// Sets a file's length, without giving it blocks; makes it when it is not there.
    static func setSize(_ size: Int64, of path: FilePath) throws {
        do {
            let file = try FileDescriptor.open(
                path,
                .writeOnly,
                options: [.create, .closeOnExec],
                permissions: .ownerReadWrite
            )
            try file.closeAfter { try check(ftruncate(file.rawValue, off_t(size))) }
        } catch {
            throw failure("set the size of", path, error)
        }
    }

    /// Makes a directory and its missing parents; `mode` is the last one's, and only when it is new.
    static func makeDirectory(
        _ path: FilePath,
        mode: FilePermissions = [.ownerReadWriteExecute, .groupReadExecute, .otherReadExecute]
    )
        throws
    {
        if isDirectory(path) { return }
        let parent = path.removingLastComponent()
        if parent != path, !parent.isEmpty { try makeDirectory(parent) }
        guard mkdir(path.string, mode.rawValue) == 0 || errno == EEXIST else {
            throw failure("make directory", path, Errno(rawValue: errno))
        }
    }

    /// Makes or replaces a symbolic link.
    static func link(_ path: FilePath, to target: String) throws {
        try remove(path)
        guard symlink(target, path.string) == 0 else { throw failure("link", path, Errno(rawValue: errno)) }
    }

    /// Removes a file; nothing there is no error.
    static func remove(_ path: FilePath) throws {
        guard unlink(path.string) == 0 || errno == ENOENT else { throw failure("remove", path, Errno(rawValue: errno)) }
    }

    /// Removes an empty directory; `false` when it is not empty or in use.
    @discardableResult
    static func removeDirectory(_ path: FilePath) -> Bool { rmdir(path.string) == 0 || errno == ENOENT }

    static func rename(_ path: FilePath, to target: FilePath) throws {
        guard Glibc.rename(path.string, target.string) == 0 else {
            throw failure("rename to \(target)", path, Errno(rawValue: errno))
        }
    }

    private static func check(_ result: CInt) throws {
        if result != 0 { throw Errno(rawValue: errno) }
    }

    private static func failure(_ verb: String, _ path: FilePath, _ cause: any Error) -> Failure {
        let hint = (cause as? Errno) == .permissionDenied || (cause as? Errno) == .notPermitted ? "run as root" : nil
        return Failure(.permanent, code: "local-file", "cannot \(verb) \(path)", hint: hint, cause: cause)
    }
}
