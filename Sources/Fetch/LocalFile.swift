// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// Files of this machine, as sources and as targets of downloads.
enum LocalFile {
    private static let chunk = 1 << 20

    /// The path of a `file://` URL; `nil` for other schemes.
    static func source(of url: String) throws(FetchError) -> FilePath? {
        guard url.hasPrefix("file:") else { return nil }
        guard url.hasPrefix("file:///"), let path = percentDecoded(url.dropFirst(7)), !path.contains("\0") else {
            throw FetchError(
                .permanent,
                code: "url-invalid",
                "\"\(url)\" is no file URL",
                hint: "give an address such as file:///dir/name"
            )
        }
        return FilePath(path)
    }

    /// A file's length; 0 when there is none.
    static func length(of path: FilePath) -> Int64 {
        var status = Glibc.stat()
        return path.withPlatformString { fstatat(AT_FDCWD, $0, &status, 0) } == 0 ? Int64(status.st_size) : 0
    }

    static func truncate(_ path: FilePath) throws(FetchError) {
        guard path.withPlatformString({ Glibc.truncate($0, 0) }) == 0 else {
            throw failure("truncate", path, Errno(rawValue: errno))
        }
    }

    static func remove(_ path: FilePath) throws(FetchError) {
        guard path.withPlatformString({ unlink($0) }) == 0 || errno == ENOENT else {
            throw failure("remove", path, Errno(rawValue: errno))
        }
    }

    static func rename(_ old: FilePath, to new: FilePath) throws(FetchError) {
        let result = old.withPlatformString { old in new.withPlatformString { Glibc.rename(old, $0) } }
        guard result == 0 else { throw failure("rename \(old) to", new, Errno(rawValue: errno)) }
    }

    static func makeDirectory(_ path: FilePath) throws(FetchError) {
        var here = FilePath(root: path.root)
        for component in path.components {
            here.append(component)
            guard here.withPlatformString({ mkdir($0, 0o755) }) == 0 || errno == EEXIST else {
                throw failure("make directory", here, Errno(rawValue: errno))
            }
        }
    }

    /// Copies what the target does not have yet; a target that is longer is started over.
    static func copy(_ source: FilePath, for download: Download) async throws {
        let target = download.file
        let input = try open(source, .readOnly, options: [.closeOnExec])
        defer { try? input.close() }
        let total = length(of: source)
        if let size = download.size, total != size { throw FetchError.size(of: download, is: total) }
        let have = length(of: target)
        let start = have <= total ? have : 0
        let output = try open(target, .writeOnly, options: [.create, .closeOnExec])
        defer { try? output.close() }
        try requireSpace(for: total, in: output, at: target, have: start)
        do {
            if start == 0 { try truncate(target) }
            try input.seek(offset: start, from: .start)
            try output.seek(offset: start, from: .start)
            try await forEachChunk(of: input) { chunk in
                _ = try output.writeAll(chunk)
                download.progress(DownloadProgress(arrived: chunk.count, total: total))
            }
        } catch let error as Errno {
            throw failure("copy \(source) to", target, error)
        }
    }

    /// Refuses to begin what cannot fit: a file of which `have` bytes are there already (fstatvfs(3)).
    static func requireSpace(
        for total: Int64,
        in file: FileDescriptor,
        at path: FilePath,
        have: Int64
    ) throws(FetchError) {
        var status = Glibc.statvfs()
        let result = fstatvfs(file.rawValue, &status)
        // A file system that does not tell, or has no limit, will say so when it is written to.
        guard result == 0, status.f_blocks > 0, total > have else { return }
        let (bytes, isHuge) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        let available = isHuge ? Int64.max : Int64(clamping: bytes)
        let needed = total - max(0, have)
        guard needed <= available else { throw FetchError.space(for: path, needed: needed, available: available) }
    }

    /// Reads on to the end in pieces, giving way to other tasks between them.
    static func forEachChunk(of file: FileDescriptor, _ body: (ArraySlice<UInt8>) throws -> Void) async throws {
        var buffer = [UInt8](repeating: 0, count: chunk)
        while true {
            try Task.checkCancellation()
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { return }
            try body(buffer[..<count])
            await Task.yield()
        }
    }

    static func open(
        _ path: FilePath,
        _ mode: FileDescriptor.AccessMode,
        options: FileDescriptor.OpenOptions
    ) throws(FetchError) -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                path,
                mode,
                options: options,
                permissions: [.ownerReadWrite, .groupRead, .otherRead]
            )
        } catch {
            throw failure("open", path, error)
        }
    }

    /// A missing source stays missing; a full disk is for a person; the rest may pass.
    static func failure(_ call: String, _ path: FilePath, _ error: any Error) -> FetchError {
        let message = "\(call) \(path): \(error)"
        switch error as? Errno {
        case .noSuchFileOrDirectory:
            let hint = "put the file there, or correct the path"
            return FetchError(.permanent, code: "file-missing", message, hint: hint)
        case .noSpace, .diskQuotaExceeded:
            let hint = "free space or inodes on that file system (df -h, df -i)"
            return FetchError(.permanent, code: "disk-full", message, hint: hint)
        case .readOnlyFileSystem:
            let hint = "remount it read-write, or choose a path on another one"
            return FetchError(.permanent, code: "read-only-filesystem", message, hint: hint)
        case .permissionDenied, .notPermitted, .isDirectory, .notDirectory:
            let hint = "run as root, and move away what stands in the way"
            return FetchError(.permanent, code: "file-refused", message, hint: hint)
        case .ioError:
            let hint = "the device may be failing; see dmesg, and replace it"
            return FetchError(.permanent, code: "input-output-error", message, hint: hint)
        default: return FetchError(.transient, code: "file-failed", message, hint: "see dmesg, and run again")
        }
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let digits = String(rest.prefix(2)), digits.count == 2, digits.allSatisfy(\.isHexDigit),
                    let value = UInt8(digits, radix: 16)
                else { return nil }
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
