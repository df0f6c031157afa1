// SPDX-License-Identifier: Apache-2.0
import Crypto
import NodeOS
import SystemPackage

/// A snapshot on this machine's disk, read and written in pieces, so that no more than one of them is in memory.
struct SnapshotFile {
    /// In bytes; a store's object of this size is written in one request everywhere.
    static let chunkSize = 16 << 20

    let path: FilePath

    /// The file's size in bytes.
    func size() throws -> Int64 {
        try opened(.readOnly) { try $0.seek(offset: 0, from: .end) }
    }

    /// The SHA-256 of the whole file.
    func sha256() throws -> String {
        var hash = SHA256()
        try opened(.readOnly) { file in
            while case let piece = try Self.read(file, 1 << 20), !piece.isEmpty { hash.update(data: piece) }
        }
        return hexDigits(hash.finalize())
    }

    /// Hands out the file's pieces in order; the last may be shorter.
    func forEachChunk(of size: Int, _ body: (Int, [UInt8]) async throws -> Void) async throws {
        let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        do {
            var index = 0
            while case let piece = try Self.read(file, size), !piece.isEmpty {
                try await body(index, piece)
                index += 1
            }
        } catch {
            try? file.close()
            throw error
        }
        try file.close()
    }

    /// Makes the file, which must not be there, readable by its owner only, and fills it with what `body` appends.
    func write(_ body: ((borrowing [UInt8]) throws -> Void) async throws -> Void) async throws {
        let file = try FileDescriptor.open(
            path,
            .writeOnly,
            options: [.create, .exclusiveCreate, .closeOnExec],
            permissions: .ownerReadWrite
        )
        do {
            try await body { piece in _ = try piece.withUnsafeBytes { try file.writeAll($0) } }
        } catch {
            try? file.close()
            throw error
        }
        try file.close()
    }

    private func opened<Value>(
        _ mode: FileDescriptor.AccessMode,
        _ body: (FileDescriptor) throws -> Value
    ) throws -> Value {
        let file = try FileDescriptor.open(path, mode, options: .closeOnExec)
        return try file.closeAfter { try body(file) }
    }

    /// As many bytes as asked for, fewer only at the end of the file.
    private static func read(_ file: FileDescriptor, _ count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let found = try file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                )
                if found == 0 { break }
                filled += found
            }
        }
    }
}
