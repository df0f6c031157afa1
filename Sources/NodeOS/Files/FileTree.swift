// SPDX-License-Identifier: Apache-2.0
import Crypto
import Glibc
import SystemPackage

/// The files below a root directory; with the root `/`, the machine's own.
///
/// All work is done by descriptor, relative to a directory that is held open. Below another root, symbolic links are
/// followed as if that root were `/`, and a path that would leave it is refused (``PathWalk``).
struct FileTree: Sendable {
    let root: FilePath
    let swept = SweptDirectories()

    /// Whether these are the files of the machine itself.
    var isMachine: Bool { root == "/" }

    /// Where a path is, for reading.
    ///
    /// On the machine itself this is the path: the kernel walks it best.
    func locate(_ path: FilePath, followingLast: Bool = false) throws(Failure) -> Place {
        guard path.isAbsolute else {
            throw Failure(
                .permanent,
                code: "path-not-absolute",
                "\(path) is not an absolute path",
                hint: "write it from the root directory on, such as /etc/hosts"
            )
        }
        if isMachine { return Place(directory: AT_FDCWD, name: path.string, path: path) }
        var walk = try PathWalk(from: root, to: path)
        return try walk.finish(followingLast: followingLast)
    }

    /// Where a path is, for changing it: its directory held open, and its last name.
    func parent(of path: FilePath) throws(Failure) -> Place {
        guard path.isAbsolute, let last = path.lastComponent, last.kind == .regular else {
            throw Failure(
                .permanent,
                code: "path-not-absolute",
                "\(path) is no absolute path that ends in a name",
                hint: "write it from the root directory on, such as /etc/hosts"
            )
        }
        if !isMachine { return try locate(path) }
        let parent = path.removingLastComponent()
        let descriptor = openat(AT_FDCWD, parent.string, LinuxFlags.pathOnly | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw .system(errno, "cannot open the directory of", path) }
        return Place(directory: descriptor, name: last.string, path: path)
    }

    /// The path as other programs on this machine reach it, all links resolved.
    func hostPath(of path: FilePath) throws(Failure) -> FilePath {
        if isMachine { return path }
        let place = try locate(path, followingLast: true)
        let descriptor = try place.open(LinuxFlags.pathOnly | O_NOFOLLOW, "cannot open")
        guard let target = readLink(AT_FDCWD, "/proc/self/fd/\(descriptor.raw)") else {
            throw .system(errno, "cannot find the full path of", path)
        }
        return FilePath(target)
    }

    /// A file that came from elsewhere, such as a download: below the root if it is there, else on this machine.
    func sourcePath(of path: FilePath) throws(Failure) -> FilePath {
        if isMachine { return path }
        let isBelow: Bool
        do { isBelow = try status(of: path) != nil } catch { isBelow = false }
        return isBelow ? try hostPath(of: path) : path
    }

    /// lstat(2) of a path; `nil` when nothing is there.
    func status(of path: FilePath) throws(Failure) -> FileStatus? {
        let place: Place
        do { place = try locate(path) } catch {
            // A missing directory on the way is an answer here, not an error.
            if let number = error.cause as? Errno, number == .noSuchFileOrDirectory || number == .notDirectory {
                return nil
            }
            throw error
        }
        return try place.status().map(FileStatus.init)
    }

    /// A file's bytes, following links.
    ///
    /// Works for files of /proc, whose size says nothing.
    func read(_ path: FilePath) throws(Failure) -> [UInt8] {
        let file = try openForReading(path)
        var status = stat()
        guard fstat(file.raw, &status) == 0 else { throw .system(errno, "cannot look at", path) }
        var bytes: [UInt8] = []
        // One more byte than the size, so that the end is seen without growing.
        var room = Int(status.st_size) + 1
        if status.st_size == 0 { room = 4096 }
        while true {
            let piece = try readPiece(file.raw, upTo: room, path)
            if bytes.isEmpty { bytes = piece } else { bytes += piece }
            if piece.isEmpty { return bytes }
            room = max(room - piece.count, 65_536)
        }
    }

    /// A file's SHA-256 as hex, read in pieces of 256 KiB.
    func sha256(of path: FilePath) throws(Failure) -> String {
        let file = try openForReading(path)
        var hash = SHA256()
        try forEachPiece(of: file.raw, path) { (piece) throws(Failure) in hash.update(bufferPointer: piece) }
        return hash.finalize().hex
    }

    /// The names in a directory, sorted, without temporaries; empty when it is not there.
    func list(_ path: FilePath) throws(Failure) -> [String] {
        let directory: Descriptor
        do {
            let place = try locate(path, followingLast: true)
            directory = try place.open(O_RDONLY | O_DIRECTORY, "cannot list")
        } catch {
            if let number = error.cause as? Errno, number == .noSuchFileOrDirectory { return [] }
            throw error
        }
        return try names(in: directory.raw, path).filter { !$0.hasPrefix(AtomicFile.prefix) }.sorted()
    }

    /// Where a symbolic link points; `nil` when the path is no link.
    func target(of path: FilePath) throws(Failure) -> String? {
        guard try status(of: path)?.kind == .symlink else { return nil }
        let place = try locate(path)
        guard let target = readLink(place.directory, place.name) else {
            throw .system(errno, "cannot read the link", path)
        }
        return target
    }

    /// Opens a file for reading; a pipe or socket, which could keep the reader for ever, is refused.
    func openForReading(_ path: FilePath) throws(Failure) -> Descriptor {
        let place = try locate(path, followingLast: true)
        let file = try place.open(O_RDONLY | O_NONBLOCK | O_NOCTTY, "cannot read")
        var status = stat()
        guard fstat(file.raw, &status) == 0 else { throw .system(errno, "cannot look at", path) }
        switch status.st_mode & S_IFMT {
        case S_IFREG, S_IFBLK, S_IFCHR: return file
        case S_IFDIR: throw .system(EISDIR, "cannot read", path)
        default:
            throw Failure(
                .permanent,
                code: "not-a-file",
                "cannot read \(path): it is a pipe or a socket",
                hint: "move it away, or declare another path"
            )
        }
    }
}

extension FileStatus {
    /// From the kernel's structure, inode(7).
    init(_ status: stat) {
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symlink
            case S_IFBLK: .block
            default: .other
            }
        self.init(
            kind: kind,
            mode: UInt16(status.st_mode & 0o7777),
            uid: status.st_uid,
            gid: status.st_gid,
            size: Int64(status.st_size)
        )
    }
}
