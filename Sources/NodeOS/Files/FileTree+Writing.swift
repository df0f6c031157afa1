// SPDX-License-Identifier: Apache-2.0
import Crypto
import Glibc
import SystemPackage

extension FileTree {
    /// Writes a file atomically; parts the attributes leave out stay as they were.
    func write(_ bytes: [UInt8], to path: FilePath, _ attributes: FileAttributes) throws(Failure) {
        try replace(path, attributes) { (descriptor) throws(Failure) in
            try withBytes(of: bytes) { (buffer) throws(Failure) in try writeAll(buffer, to: descriptor, path) }
        }
    }

    /// Adds to a file that is there; what could be written only in part is taken back.
    func append(_ bytes: [UInt8], to path: FilePath) throws(Failure) {
        let place = try parent(of: path)
        let file = try place.open(O_WRONLY | O_APPEND | O_NOFOLLOW, "cannot open for adding")
        // One writer at a time, so that what is taken back is this one's own.
        if flock(file.raw, LOCK_EX) != 0 { throw .system(errno, "cannot lock", path) }
        var before = stat()
        if fstat(file.raw, &before) != 0 { throw .system(errno, "cannot look at", path) }
        do throws(Failure) {
            try withBytes(of: bytes) { (buffer) throws(Failure) in try writeAll(buffer, to: file.raw, path) }
            if fdatasync(file.raw) != 0 { throw .system(errno, "cannot flush to disk", path) }
        } catch {
            ftruncate(file.raw, before.st_size)
            throw error
        }
    }

    /// Copies a file into place and compares its digest before the name appears.
    func install(
        _ source: FilePath,
        sha256: String,
        to path: FilePath,
        _ attributes: FileAttributes
    ) throws(Failure) {
        let host = FileTree(root: "/")
        let input = try host.openForReading(try sourcePath(of: source))
        try replace(path, attributes) { (descriptor) throws(Failure) in
            var hash = SHA256()
            try forEachPiece(of: input.raw, source) { (piece) throws(Failure) in
                hash.update(bufferPointer: piece)
                try writeAll(piece, to: descriptor, path)
            }
            let found = hash.finalize().hex
            guard found == sha256.lowercased() else {
                throw Failure(
                    .permanent,
                    code: "digest-mismatch",
                    "cannot install \(source) as \(path): its sha256 is \(found), not \(sha256)",
                    hint: "remove \(source), so that it is fetched again, or correct the digest"
                )
            }
        }
    }

    /// Makes a symbolic link, or puts one in place of what is there, in one step.
    func link(_ path: FilePath, to target: String) throws(Failure) {
        let place = try parent(of: path)
        let directory = try openDirectory(of: place)
        try swept.sweep(directory.raw, path)
        for attempt in 1...3 {
            let name = AtomicFile.newName()
            if symlinkat(target, directory.raw, name) != 0 { throw .system(errno, "cannot make the link", path) }
            if renameat(directory.raw, name, directory.raw, place.name) == 0 { break }
            let number = errno
            unlinkat(directory.raw, name, 0)
            // Another process that sweeps may have taken the temporary for a leftover.
            if number != ENOENT || attempt == 3 { throw .system(number, "cannot put the link in place at", path) }
        }
        if fsync(directory.raw) != 0 { throw .system(errno, "cannot flush the directory of", path) }
    }

    /// Makes a directory and its missing parents, those as root:root 0755.
    func makeDirectory(_ path: FilePath, _ attributes: FileAttributes) throws(Failure) {
        guard path.lastComponent != nil else { return try setAttributes(attributes, of: path) }
        if try status(of: path) != nil { return try adopt(path, attributes) }
        try makeParents(of: path)
        let place = try parent(of: path)
        // Closed to all others until owner and mode are set; a parent that nobody declared is right from the start, since
        // nobody would set it right after a crash.
        if mkdirat(place.directory, place.name, attributes == FileAttributes() ? 0o755 : 0o700) != 0 {
            if errno == EEXIST { return try adopt(path, attributes) }
            throw .system(errno, "cannot make the directory", path)
        }
        let complete = FileAttributes(
            mode: attributes.mode ?? 0o755,
            uid: attributes.uid ?? geteuid(),
            gid: attributes.gid ?? getegid()
        )
        try setAttributes(complete, of: path)
        try flush(try openDirectory(of: place), path)
    }

    /// Sets owner and mode where they differ, without following a final link.
    func setAttributes(_ attributes: FileAttributes, of path: FilePath) throws(Failure) {
        let place = try locate(path)
        let file = try place.open(LinuxFlags.pathOnly | O_NOFOLLOW, "cannot open")
        var status = stat()
        if fstat(file.raw, &status) != 0 { throw .system(errno, "cannot look at", path) }
        let uid = attributes.uid ?? status.st_uid
        let gid = attributes.gid ?? status.st_gid
        let ownerDiffers = uid != status.st_uid || gid != status.st_gid
        if ownerDiffers, fchownat(file.raw, "", uid, gid, LinuxFlags.emptyPath | AT_SYMLINK_NOFOLLOW) != 0 {
            throw .system(errno, "cannot set the owner of", path, hint: errno == EPERM ? AtomicFile.noOwners : nil)
        }
        guard let mode = attributes.mode else { return }
        // chmod(2) by way of /proc reaches exactly what is open; fchmod(2) refuses O_PATH descriptors.
        if chmod("/proc/self/fd/\(file.raw)", mode_t(mode)) != 0 {
            throw .system(errno, "cannot set the mode of", path)
        }
    }

    /// Renames over the target and flushes both directories.
    func rename(_ path: FilePath, to target: FilePath) throws(Failure) {
        let from = try parent(of: path)
        let to = try parent(of: target)
        if renameat(from.directory, from.name, to.directory, to.name) != 0 {
            throw .system(errno, "cannot rename \(path) to", target)
        }
        try flush(try openDirectory(of: to), target)
        try flush(try openDirectory(of: from), path)
    }

    private func replace(
        _ path: FilePath,
        _ attributes: FileAttributes,
        _ fill: (Int32) throws(Failure) -> Void
    ) throws(Failure) {
        let place = try parent(of: path)
        let directory = try openDirectory(of: place)
        try swept.sweep(directory.raw, path)
        let complete = try attributes.filled(from: place.status())
        let file = try AtomicFile(in: directory.raw, for: path)
        do { try fill(file.descriptor) } catch {
            file.discard()
            throw error
        }
        try file.commit(as: place.name, complete)
    }

    private func adopt(_ path: FilePath, _ attributes: FileAttributes) throws(Failure) {
        guard try status(of: path)?.kind == .directory else {
            throw Failure(
                .permanent,
                code: "not-a-directory",
                "cannot make the directory \(path): something else is there",
                hint: "remove \(path)"
            )
        }
        try setAttributes(attributes, of: path)
    }

    private func makeParents(of path: FilePath) throws(Failure) {
        let parent = path.removingLastComponent()
        guard parent.lastComponent != nil else { return }
        // A parent may well be a link to a directory.
        do {
            let place = try locate(parent, followingLast: true)
            _ = try place.open(LinuxFlags.pathOnly | O_DIRECTORY, "cannot open the directory")
        } catch {
            guard error.code == "not-found" else { throw error }
            try makeDirectory(parent, FileAttributes())
        }
    }

    private func openDirectory(of place: borrowing Place) throws(Failure) -> Descriptor {
        let descriptor = openat(place.directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if descriptor < 0 { throw .system(errno, "cannot open the directory of", place.path) }
        return Descriptor(descriptor)
    }

    private func flush(_ directory: consuming Descriptor, _ path: FilePath) throws(Failure) {
        if fsync(directory.raw) != 0 { throw .system(errno, "cannot flush the directory of", path) }
    }

    private func withBytes(
        of bytes: [UInt8],
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var failure: Failure?
        bytes.withUnsafeBytes { buffer in
            do throws(Failure) { try body(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

extension FileAttributes {
    /// Completed by the file that is there, or by the defaults of a new one: 0644 and whoever runs this.
    fileprivate func filled(from status: stat?) -> FileAttributes {
        guard let status, status.st_mode & S_IFMT == S_IFREG else {
            return FileAttributes(mode: mode ?? 0o644, uid: uid ?? geteuid(), gid: gid ?? getegid())
        }
        return FileAttributes(
            mode: mode ?? UInt16(status.st_mode & 0o7777),
            uid: uid ?? status.st_uid,
            gid: gid ?? status.st_gid
        )
    }
}
