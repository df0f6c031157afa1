// SPDX-License-Identifier: Apache-2.0
import Crypto
import Glibc
import SystemPackage

/// A directory of files named by their SHA-256.
///
/// Beside `<sha256>` lies `<sha256>.stamp` with the size, times and inode the file had when its bytes were last hashed;
/// a file that still has them is not hashed again. The change time is among them, which no program can set back.
struct AssetCache: Sendable {
    let directory: FilePath

    func path(of sha256: String) -> FilePath { directory.appending(sha256) }
    func part(of sha256: String) -> FilePath { directory.appending(sha256 + ".part") }
    func hedge(of sha256: String) -> FilePath { directory.appending(sha256 + ".hedge") }
    private func stamp(of sha256: String) -> FilePath { directory.appending(sha256 + ".stamp") }

    /// Whether the file is there and what its name says; `remember` lets a stamp be written for the next look.
    func has(_ sha256: String, remember: Bool) async throws -> Bool {
        let path = path(of: sha256)
        guard let before = Self.fingerprint(of: path) else { return false }
        if let known = try? Self.text(of: stamp(of: sha256)), known == before { return true }
        guard try await Self.sha256(of: path) == sha256, Self.fingerprint(of: path) == before else { return false }
        if remember { writeStamp(before, for: sha256) }
        return true
    }

    /// Puts a finished and verified part in place.
    func install(_ part: FilePath, as sha256: String) throws(FetchError) {
        let path = path(of: sha256)
        let file = try LocalFile.open(part, .readOnly, options: [.closeOnExec])
        defer { try? file.close() }
        guard fsync(file.rawValue) == 0 else { throw LocalFile.failure("fsync", part, Errno(rawValue: errno)) }
        try LocalFile.rename(part, to: path)
        let parent = try LocalFile.open(directory, .readOnly, options: [.directory, .closeOnExec])
        defer { try? parent.close() }
        guard fsync(parent.rawValue) == 0 else { throw LocalFile.failure("fsync", directory, Errno(rawValue: errno)) }
        if let fingerprint = Self.fingerprint(of: path) { writeStamp(fingerprint, for: sha256) }
    }

    /// Removes what is no file of that digest.
    func discard(_ sha256: String) throws(FetchError) {
        try LocalFile.remove(stamp(of: sha256))
        try LocalFile.remove(path(of: sha256))
    }

    /// The SHA-256 of a file as 64 hex digits.
    static func sha256(of path: FilePath) async throws -> String {
        let file = try LocalFile.open(path, .readOnly, options: [.closeOnExec])
        defer { try? file.close() }
        var hash = SHA256()
        do {
            try await LocalFile.forEachChunk(of: file) { hash.update(data: $0) }
        } catch let error as Errno {
            throw LocalFile.failure("read", path, error)
        }
        return hash.finalize().reduce(into: "") { $0 += ($1 < 16 ? "0" : "") + String($1, radix: 16) }
    }

    /// What changes with a file's bytes; `nil` when there is no regular file.
    static func fingerprint(of path: FilePath) -> String? {
        var status = Glibc.stat()
        guard path.withPlatformString({ lstat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        let modified = "\(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
        let changed = "\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
        return "v1 \(status.st_size) \(modified) \(changed) \(status.st_dev) \(status.st_ino)\n"
    }

    private static func text(of path: FilePath) throws -> String {
        let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow])
        return try file.closeAfter {
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
    }

    /// A stamp that cannot be written, or is half written by a crash, costs one more hash and nothing else.
    private func writeStamp(_ text: String, for sha256: String) {
        let file = try? FileDescriptor.open(
            stamp(of: sha256),
            .writeOnly,
            options: [.create, .truncate, .closeOnExec, .noFollow],
            permissions: .ownerReadWrite
        )
        _ = try? file?.closeAfter { try file?.writeAll(Array(text.utf8)) }
    }
}
