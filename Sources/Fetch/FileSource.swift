// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// The file an upload comes from, of the length it had when it was opened.
final class FileSource {
    let length: Int64
    private let path: FilePath
    private let file: FileDescriptor
    private var position: Int64 = 0

    init(_ path: FilePath) throws(FetchError) {
        self.path = path
        file = try LocalFile.open(path, .readOnly, options: [.closeOnExec])
        length = LocalFile.length(of: path)
    }

    deinit { try? file.close() }

    /// Reads on; 0 bytes mean the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(FetchError) -> Int {
        let wanted = Int(min(Int64(buffer.count), length - position))
        let count: Int
        do {
            count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        } catch {
            throw LocalFile.failure("read", path, error)
        }
        guard count > 0 || wanted == 0 else {
            throw FetchError(
                .transient,
                code: "file-changed",
                "upload of \(path): it had \(length) bytes and ended after \(position)",
                hint: "let nothing write to the file while it is sent"
            )
        }
        position += Int64(count)
        return count
    }

    /// Goes back, for a request that has to be sent again.
    func seek(to offset: Int64) -> Bool {
        guard (0...length).contains(offset), (try? file.seek(offset: offset, from: .start)) != nil else { return false }
        position = offset
        return true
    }
}
