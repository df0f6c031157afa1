// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

extension Failure {
    /// A name that cannot go because it is a mount point; for files, EBUSY means nothing else (rename(2), unlink(2)).
    static func mounted(_ path: FilePath, _ attempt: String) -> Failure {
        Failure(
            .permanent,
            code: "is-mounted",
            "\(attempt) \(path): something is mounted on it",
            hint: "unmount \(path) first"
        )
    }
}

extension FileTree {
    /// Removes a file, a link, or a directory with all it holds; links are never followed, mounts never entered.
    ///
    /// A directory with a mount on or below it is refused before anything in it is touched.
    func remove(_ path: FilePath) throws(Failure) {
        guard let status = try status(of: path) else { return }
        let place = try parent(of: path)
        guard status.kind == .directory else {
            if unlinkat(place.directory, place.name, 0) != 0, errno != ENOENT {
                throw errno == EBUSY ? .mounted(path, "cannot remove") : .system(errno, "cannot remove", path)
            }
            return
        }
        try refuseMounts(below: path)
        try removeDirectory(place.name, in: place.directory, path, device: nil)
    }

    private func refuseMounts(below path: FilePath) throws(Failure) {
        let directory = try canonicalPath(of: path)
        let table = try MountTable.live()
        for mount in table.entries where mount.path.starts(with: directory) {
            throw Failure(
                .permanent,
                code: "is-mounted",
                "cannot remove \(path): \(mount.source) is mounted on \(mount.path)",
                hint: "unmount \(mount.path) first"
            )
        }
    }

    private func canonicalPath(of path: FilePath) throws(Failure) -> FilePath {
        let place = try locate(path)
        let descriptor = try place.open(LinuxFlags.pathOnly | O_NOFOLLOW, "cannot open")
        guard let target = readLink(AT_FDCWD, "/proc/self/fd/\(descriptor.raw)") else {
            throw .system(errno, "cannot find the full path of", path)
        }
        return FilePath(target)
    }

    private func removeDirectory(
        _ name: String,
        in parent: Int32,
        _ path: FilePath,
        device: dev_t?
    ) throws(Failure) {
        let raw = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if raw < 0 { throw .system(errno, "cannot remove", path) }
        let directory = Descriptor(raw)
        var status = stat()
        if fstat(directory.raw, &status) != 0 { throw .system(errno, "cannot look at", path) }
        // Something may have been mounted after the table was read.
        if let device, device != status.st_dev { throw .system(EXDEV, "cannot remove what is mounted on", path) }
        for child in try names(in: directory.raw, path) {
            if unlinkat(directory.raw, child, 0) == 0 || errno == ENOENT { continue }
            // Only what it says is a directory is entered: a file that may not be removed is to be told as such.
            guard errno == EISDIR else {
                throw .system(errno, "cannot remove", path.appending(child))
            }
            try removeDirectory(child, in: directory.raw, path.appending(child), device: status.st_dev)
        }
        if unlinkat(parent, name, AT_REMOVEDIR) != 0, errno != ENOENT { throw .system(errno, "cannot remove", path) }
    }
}
