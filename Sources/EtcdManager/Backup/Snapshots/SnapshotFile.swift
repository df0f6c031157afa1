// SPDX-License-Identifier: Apache-2.0
import NodeOS
import SystemPackage

/// A snapshot on this machine's disk, read and written in pieces, so that no more than one of them is in memory.
struct SnapshotFile {
    /// In bytes; a store's object of this size is written in one request everywhere.
    static let chunkSize = 16 << 20

    let path: FilePath

    /// The file's size in bytes.
    func size() throws -> Int64 { try opened { try $0.seek(offset: 0, from: .end) } }

    /// The SHA-256 of the whole file.
    func sha256() throws -> String {
        var hash = RunningDigest()
        try opened { file in
            while case let piece = try Self.read(file, 1 << 20), !piece.isEmpty { hash.add(piece) }
        }
        return hash.text
    }

    /// Hands out the file's pieces in order; the last may be shorter.
    ///
    /// - Throws: ``Failure`` where the file cannot be read, and what `body` throws.
    func forEachChunk(of size: Int, _ body: (Int, [UInt8]) async throws -> Void) async throws {
        let open = { try FileDescriptor.open(path, .readOnly, options: .closeOnExec) }
        try await closing("cannot read", open) { file in
            var index = 0
            while case let piece = try Self.read(file, size), !piece.isEmpty {
                try await body(index, piece)
                index += 1
            }
        }
    }

    /// Makes the file, which must not be there, readable by its owner only, and fills it with what `body` appends.
    ///
    /// - Throws: ``Failure`` where the file cannot be written, `backup-disk-full` among others, and what `body` throws.
    func write(_ body: (_ append: ([UInt8]) throws -> Void) async throws -> Void) async throws {
        let open = {
            try FileDescriptor.open(
                path,
                .writeOnly,
                options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: .ownerReadWrite
            )
        }
        try await closing("cannot write", open) { file in
            try await body { piece in _ = try piece.withUnsafeBytes { try file.writeAll($0) } }
        }
    }

    private func closing(
        _ attempt: String,
        _ open: () throws -> FileDescriptor,
        _ body: (FileDescriptor) async throws -> Void
    ) async throws {
        do {
            let file = try open()
            do {
                try await body(file)
            } catch {
                try? file.close()
                throw error
            }
            try file.close()
        } catch let error as Errno {
            throw Failure.file(error, attempt, path)
        }
    }

    private func opened<Value>(_ body: (FileDescriptor) throws -> Value) throws -> Value {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            return try file.closeAfter { try body(file) }
        } catch let error as Errno {
            throw Failure.file(error, "cannot read", path)
        }
    }

    /// As many bytes as asked for, fewer only at the end of the file.
    private static func read(_ file: FileDescriptor, _ count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let all = UnsafeMutableRawBufferPointer(buffer)
            while filled < count {
                let found = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: all[filled...]))
                if found == 0 { break }
                filled += found
            }
        }
    }
}
