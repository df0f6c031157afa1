// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// The file a download goes to: continued by an answer of 2xx, left alone by anything else.
///
/// A server that answers with the whole although it was asked for the rest (200 instead of 206) takes nothing away: what
/// is here already is skipped.
final class FileSink {
    private let download: Download
    private let file: FileDescriptor
    /// What the file had before.
    private let offset: Int64
    private var isPlaced = false
    private var position: Int64 = 0
    /// How many bytes to come are here already.
    private var surplus: Int64 = 0
    /// The length of the whole as the source tells it.
    private var total: Int64?

    init(_ download: Download, from offset: Int64) throws(FetchError) {
        self.download = download
        self.offset = offset
        file = try LocalFile.open(download.file, .writeOnly, options: [.create, .closeOnExec])
        if let size = download.size { try requireSpace(for: size, have: offset) }
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
        let known = Int(min(surplus, Int64(bytes.count)))
        surplus -= Int64(known)
        try write(UnsafeRawBufferPointer(rebasing: bytes[known...]))
        download.progress(DownloadProgress(arrived: bytes.count, total: total))
    }

    /// Says that the transfer lives.
    func pulse() { download.progress(DownloadProgress(arrived: 0, total: total)) }

    /// Makes an empty answer an empty file too, and complains about one that ended early without saying so.
    func close(status: Int, headers: [(name: String, value: String)]) throws(FetchError) {
        guard (200..<300).contains(status) else { return }
        try place(status: status, headers: headers)
        let wanted = max(download.size ?? total ?? 0, surplus > 0 ? offset : 0)
        let got = position - surplus
        guard got >= wanted else {
            throw FetchError(
                .transient,
                code: "answer-cut-short",
                "GET \(FetchError.shown(download.url)): the answer ended after \(got) of \(wanted) bytes",
                hint: "check the network, and the server's log"
            )
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(FetchError) {
        if let size = download.size, Int64(bytes.count) > size - position {
            // Whatever it is, it is not the file: none of it stays.
            try cut(to: offset)
            throw FetchError.size(of: download, is: nil)
        }
        do {
            position += Int64(try file.writeAll(bytes))
        } catch {
            throw LocalFile.failure("write", download.file, error)
        }
    }

    private func place(status: Int, headers: [(name: String, value: String)]) throws(FetchError) {
        guard !isPlaced else { return }
        isPlaced = true
        let range = status == 206 ? ContentRange(headers) : nil
        if status == 206, let range, range.first != offset {
            throw FetchError(
                .transient,
                code: "range-mismatch",
                "GET \(FetchError.shown(download.url)): asked from byte \(offset), "
                    + "the answer begins at \(range.first.map { "byte \($0)" } ?? "none")",
                hint: "see whether a proxy stands between: it answers for other bytes than were asked for"
            )
        }
        total = status == 206 ? range?.total : Self.length(headers)
        if let size = download.size, let total, total != size { throw FetchError.size(of: download, is: total) }
        // A whole that is shorter than our part is another file, or our part is.
        let start = status == 206 || total.map { $0 >= offset } ?? true ? offset : 0
        surplus = status == 206 ? 0 : start
        if let total { try requireSpace(for: total, have: start) }
        try cut(to: start)
    }

    private func requireSpace(for total: Int64, have: Int64) throws(FetchError) {
        try LocalFile.requireSpace(for: total, in: file, at: download.file, have: have)
    }

    private func cut(to length: Int64) throws(FetchError) {
        do {
            guard ftruncate(file.rawValue, off_t(length)) == 0 else { throw Errno(rawValue: errno) }
            position = try file.seek(offset: length, from: .start)
        } catch {
            throw LocalFile.failure("write", download.file, error)
        }
    }

    private static func length(_ headers: [(name: String, value: String)]) -> Int64? {
        headers.last { $0.name == "content-length" }.flatMap { ContentRange.number($0.value[...]) }
    }
}
