// SPDX-License-Identifier: Apache-2.0
import Foundation
import SystemPackage

/// A file that only its owner may read.
struct PrivateFile {
    let path: FilePath

    init(_ path: String) { self.path = FilePath(path) }

    /// The bytes; `nil` when there is no such file.
    func read() throws -> [UInt8]? {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
            return try file.closeAfter {
                var bytes: [UInt8] = []
                var piece = [UInt8](repeating: 0, count: 1 << 16)
                while true {
                    let count = try piece.withUnsafeMutableBytes { try file.read(into: $0) }
                    if count == 0 { return bytes }
                    bytes += piece[..<count]
                }
            }
        } catch Errno.noSuchFileOrDirectory {
            return nil
        } catch {
            throw CommandFailure("\(path) cannot be read: \(error)", remedy: "run this as its owner")
        }
    }

    /// Writes it whole or not at all; `isNew` refuses to replace one.
    func write(_ bytes: [UInt8], isNew: Bool) throws {
        let temporary = isNew ? path : FilePath(path.string + ".new")
        do {
            if !isNew { try? FileManager.default.removeItem(atPath: temporary.string) }
            let file = try FileDescriptor.open(
                temporary,
                .writeOnly,
                options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: .ownerReadWrite
            )
            try file.closeAfter {
                try file.writeAll(bytes)
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
            guard isNew || rename(temporary.string, path.string) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            throw CommandFailure("\(path) cannot be written: \(error)", remedy: "name another place for it")
        }
    }
}
