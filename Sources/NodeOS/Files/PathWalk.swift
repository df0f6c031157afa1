// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// The way from a root directory to a path, one component at a time, as chroot(2) would see it.
///
/// Each step opens a component with `O_PATH | O_NOFOLLOW` and then looks at the descriptor, so nobody can put a link in
/// its place in between. An absolute link starts again at the root. A link that climbs above the root, or an absolute one
/// whose directory does not exist below the root, is refused: on the machine that runs this, it points elsewhere.
struct PathWalk {
    private let root: FilePath
    private let path: FilePath
    private let directories: OpenDirectories
    private var pending: [String]
    private var linksFollowed = 0
    /// The absolute link whose target is being walked, and how many names are left after it.
    private var absoluteLink: (target: String, rest: Int)?

    /// The kernel's own limit, path_resolution(7).
    private static let linkLimit = 40

    /// Opens the root.
    init(from root: FilePath, to path: FilePath) throws(Failure) {
        self.root = root
        self.path = path
        pending = Self.names(in: path.string)
        let descriptor = openat(AT_FDCWD, root.string, LinuxFlags.pathOnly | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw .system(errno, "cannot open the root", root) }
        directories = OpenDirectories(root: descriptor)
    }

    /// Walks to the end; a final link is followed only when asked.
    mutating func finish(followingLast: Bool) throws(Failure) -> Place {
        while let name = pending.popLast() {
            if let link = absoluteLink, pending.count < link.rest { absoluteLink = nil }
            if name == "." { continue }
            if name == ".." {
                guard directories.leave() else { throw escape("climbs above it") }
                continue
            }
            if pending.isEmpty, try !isLink(name) || !followingLast {
                return Place(directory: directories.release(), name: name, path: path)
            }
            try enter(name)
        }
        return Place(directory: directories.release(), name: ".", path: path)
    }

    private func isLink(_ name: String) throws(Failure) -> Bool {
        var status = stat()
        if fstatat(directories.current, name, &status, AT_SYMLINK_NOFOLLOW) == 0 {
            return status.st_mode & S_IFMT == S_IFLNK
        }
        if errno == ENOENT { return false }
        throw .system(errno, "cannot look at", path)
    }

    private mutating func enter(_ name: String) throws(Failure) {
        let descriptor = openat(directories.current, name, LinuxFlags.pathOnly | O_NOFOLLOW | O_CLOEXEC)
        if descriptor < 0 {
            if errno == ENOENT, let absoluteLink { throw escape("leads through the link to \(absoluteLink.target)") }
            throw .system(errno, "cannot enter \(name) on the way to", path)
        }
        var status = stat()
        if fstat(descriptor, &status) != 0 {
            let number = errno
            close(descriptor)
            throw .system(number, "cannot look at \(name) on the way to", path)
        }
        guard status.st_mode & S_IFMT == S_IFLNK else {
            if status.st_mode & S_IFMT == S_IFDIR { return directories.enter(descriptor) }
            close(descriptor)
            throw .system(ENOTDIR, "cannot enter \(name) on the way to", path)
        }
        let target = readLink(descriptor, "")
        let number = errno
        close(descriptor)
        guard let target else { throw .system(number, "cannot read the link \(name) on the way to", path) }
        try follow(target)
    }

    private mutating func follow(_ target: String) throws(Failure) {
        linksFollowed += 1
        if linksFollowed > Self.linkLimit { throw .system(ELOOP, "cannot follow the links on the way to", path) }
        if target.hasPrefix("/") {
            absoluteLink = (target, pending.count)
            directories.leaveAll()
        }
        pending += Self.names(in: target)
    }

    /// The names of a path, last first.
    private static func names(in path: String) -> [String] {
        path.utf8.split(separator: UInt8(ascii: "/")).reversed().map { String(Substring($0)) }
    }

    private func escape(_ how: String) -> Failure {
        Failure(
            .permanent,
            code: "path-escapes-root",
            "\(path) below \(root) \(how), which is outside of that root",
            hint: "replace the symbolic link: links are followed as if \(root) were /"
        )
    }
}

/// The directories a walk is in, innermost last.
private final class OpenDirectories {
    private var descriptors: [Int32]

    init(root: Int32) { descriptors = [root] }

    deinit { for descriptor in descriptors { close(descriptor) } }

    var current: Int32 { descriptors[descriptors.count - 1] }

    func enter(_ descriptor: Int32) { descriptors.append(descriptor) }

    /// Goes up by one; `false` at the root.
    func leave() -> Bool {
        guard descriptors.count > 1 else { return false }
        close(descriptors.removeLast())
        return true
    }

    func leaveAll() { while leave() {} }

    /// Hands out the innermost directory, which the caller closes.
    func release() -> Int32 { descriptors.removeLast() }
}

/// readlinkat(2), which does not say how long a target is; `nil` on an error, in errno.
func readLink(_ directory: Int32, _ name: String) -> String? {
    let limit = Int(PATH_MAX)
    var buffer = [CChar](repeating: 0, count: limit)
    let count = readlinkat(directory, name, &buffer, limit)
    guard count >= 0 else { return nil }
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
