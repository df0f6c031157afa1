// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// Something in the store's place that no store would put there.
struct StoreOddity: Error {
    let text: String
}

/// An open directory of a store.
///
/// Every step down is an openat(2) of one name with `O_NOFOLLOW`, so no symbolic link, however timed, leads out.
struct StoreDirectory: ~Copyable {
    /// A system call that failed.
    struct CallFailure: Error {
        let call: String
        let errno: Errno
    }

    enum Kind {
        case file
        case directory
        case link
        case other
    }

    static let temporaryPrefix = ".kopslite-tmp-"
    private static let openFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC

    private let descriptor: Int32
    private let isPrivate: Bool

    private init(descriptor: Int32, isPrivate: Bool) {
        self.descriptor = descriptor
        self.isPrivate = isPrivate
    }

    deinit { close(descriptor) }

    /// Opens the store's own directory, which may be a symbolic link.
    init(root: FilePath) throws {
        let descriptor = root.withPlatformString { Glibc.open($0, Self.openFlags) }
        guard descriptor >= 0 else { throw Self.failure("open the store's directory \(root)") }
        self.init(descriptor: descriptor, isPrivate: false)
    }

    /// Makes the store's own directory and its parents where missing.
    static func makeRoot(_ root: FilePath) throws {
        if root.withPlatformString({ access($0, F_OK) }) == 0 { return }
        var path = FilePath("/")
        for component in root.components {
            path.append(component)
            guard path.withPlatformString({ mkdir($0, 0o755) }) == 0 || errno == EEXIST else {
                throw failure("make directory \(path)")
            }
        }
    }

    /// Opens a directory below; `nil` when one on the way is missing and none is to be made.
    consuming func descend(_ parts: [String], create: Bool) throws -> StoreDirectory? {
        var here = self
        for part in parts {
            guard let next = try here.step(part, create: create) else { return nil }
            here = next
        }
        return here
    }

    /// Opens one directory below; `nil` when it is missing and not to be made.
    borrowing func step(_ name: String, create: Bool) throws -> StoreDirectory? {
        let isPrivate = isPrivate || name == "private"
        var next = openat(descriptor, name, Self.openFlags | O_NOFOLLOW)
        if next < 0, errno == ENOENT {
            guard create else { return nil }
            let mode: mode_t = isPrivate ? 0o700 : 0o755
            let isMine = mkdirat(descriptor, name, mode) == 0
            guard isMine || errno == EEXIST else { throw Self.failure("make directory \(name)") }
            fsync(descriptor)
            next = openat(descriptor, name, Self.openFlags | O_NOFOLLOW)
            // mkdirat(2) obeys the umask, and a store that only its maker can read is no store.
            if isMine, next >= 0 { fchmod(next, mode) }
        }
        guard next >= 0 else {
            if errno == ENOTDIR || errno == ELOOP {
                throw StoreOddity(text: "\"\(name)\" on the way to it is \(try describe(name)), not a directory")
            }
            throw Self.failure("open directory \(name)")
        }
        return StoreDirectory(descriptor: next, isPrivate: isPrivate)
    }

    /// What a name is, without following a link; `nil` when nothing is there.
    borrowing func kind(of name: String) throws -> Kind? {
        var status = stat()
        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return nil }
            throw Self.failure("stat \(name)")
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .directory
        case S_IFLNK: return .link
        default: return .other
        }
    }

    private borrowing func describe(_ name: String) throws -> String {
        switch try kind(of: name) {
        case .file: "a file"
        case .directory: "a directory"
        case .link: "a symbolic link"
        case .other: "a device, pipe or socket"
        case nil: "gone"
        }
    }

    /// A file's bytes; `nil` when nothing is there.
    borrowing func read(_ name: String) throws -> [UInt8]? {
        // Not blocking, or a pipe in a file's place would hang the reader.
        let raw = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard raw >= 0 else {
            switch errno {
            case ENOENT: return nil
            case ELOOP, ENXIO: throw StoreOddity(text: "it is \(try describe(name)), not a file")
            default: throw Self.failure("open")
            }
        }
        let file = FileDescriptor(rawValue: raw)
        return try file.closeAfter {
            var status = stat()
            guard fstat(raw, &status) == 0 else { throw Self.failure("stat") }
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw StoreOddity(text: "it is \(try describe(name)), not a file")
            }
            return try Self.readAll(file, expected: Int(status.st_size))
        }
    }

    private static func readAll(_ file: FileDescriptor, expected: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(expected)
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        do {
            while true {
                let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                if count == 0 { return bytes }
                bytes += buffer[..<count]
            }
        } catch let errno as Errno {
            throw CallFailure(call: "read", errno: errno)
        }
    }

    /// Puts a file in place: temporary name, mode, fsync(2), rename(2), fsync of the directory.
    borrowing func replace(_ name: String, with bytes: [UInt8], mode: mode_t) throws {
        if let kind = try kind(of: name), kind != .file {
            throw StoreOddity(text: "it is \(try describe(name)), not a file")
        }
        let temporary = Self.temporaryPrefix + String(UInt64.random(in: .min ... .max), radix: 36)
        let raw = openat(descriptor, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard raw >= 0 else { throw Self.failure("create") }
        do {
            try FileDescriptor(rawValue: raw).closeAfter {
                guard fchmod(raw, mode) == 0 else { throw Self.failure("change mode") }
                _ = try FileDescriptor(rawValue: raw).writeAll(bytes)
                guard fsync(raw) == 0 else { throw Self.failure("fsync") }
            }
            guard renameat(descriptor, temporary, descriptor, name) == 0 else { throw Self.failure("rename") }
            guard fsync(descriptor) == 0 else { throw Self.failure("fsync of the directory") }
        } catch {
            unlinkat(descriptor, temporary, 0)
            throw (error as? Errno).map { CallFailure(call: "write", errno: $0) } ?? error
        }
    }

    /// Removes a file.
    borrowing func remove(_ name: String) throws {
        guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else { throw Self.failure("remove") }
        guard fsync(descriptor) == 0 else { throw Self.failure("fsync of the directory") }
    }

    /// Removes what a crashed writer left.
    borrowing func removeTemporaryFiles() throws {
        for name in try names() where name.hasPrefix(Self.temporaryPrefix) { unlinkat(descriptor, name, 0) }
    }

    /// Every name but `.` and `..`, in no order.
    borrowing func names() throws -> [String] {
        // A second open, as closedir(3) closes and readdir(3) moves what it is given.
        let copy = openat(descriptor, ".", Self.openFlags)
        guard copy >= 0 else { throw Self.failure("open directory") }
        guard let stream = fdopendir(copy) else {
            close(copy)
            throw Self.failure("open directory")
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw Self.failure("read directory") }
                return names
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
    }

    /// Takes the lock when it is free (flock(2), which works on a directory, also one that is mounted read-only).
    borrowing func tryLock() throws -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        if errno == EWOULDBLOCK || errno == EINTR { return false }
        throw Self.failure("lock")
    }

    borrowing func unlock() { flock(descriptor, LOCK_UN) }

    private static func failure(_ call: String) -> CallFailure {
        CallFailure(call: call, errno: Errno(rawValue: errno))
    }
}
