// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// The file a download goes to: continued after a 206, started over after a 200, left alone after anything else.
final class FileSink {
    private let path: FilePath
    private let file: FileDescriptor
    private let offset: Int64
    private var isPlaced = false

    init(_ path: FilePath, from offset: Int64) throws(FetchError) {
        self.path = path
        self.offset = offset
        file = try LocalFile.open(path, .writeOnly, options: [.create, .closeOnExec])
    }

    deinit { try? file.close() }

    /// Writes a piece of the body.
    func take(
        _ bytes: UnsafeRawBufferPointer,
        status: Int,
        headers: [(name: String, value: String)]
    ) throws(FetchError) {
        guard (200..<300).contains(status) else { return }
        try place(status: status, headers: headers)
        do {
            _ = try file.writeAll(bytes)
        } catch {
            throw LocalFile.failure("write", path, error)
        }
    }

    /// Makes an empty answer an empty file too.
    func close(status: Int) throws(FetchError) {
        if status == 200 { try place(status: status, headers: []) }
    }

    private func place(status: Int, headers: [(name: String, value: String)]) throws(FetchError) {
        guard !isPlaced else { return }
        isPlaced = true
        let start = status == 206 ? offset : 0
        if status == 206, let range = headers.first(where: { $0.name == "content-range" }),
            !range.value.hasPrefix("bytes \(offset)-")
        {
            throw FetchError(
                .transient,
                code: "range-mismatch",
                "download to \(path): asked from byte \(offset), got \(range.value)",
                hint: "see whether a proxy stands between: it answers for other bytes than were asked for"
            )
        }
        do {
            guard ftruncate(file.rawValue, off_t(start)) == 0 else { throw Errno(rawValue: errno) }
            try file.seek(offset: start, from: .start)
        } catch {
            throw LocalFile.failure("write", path, error)
        }
    }
}
