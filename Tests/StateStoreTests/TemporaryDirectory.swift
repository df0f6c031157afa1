// SPDX-License-Identifier: Apache-2.0
import Glibc
import Subprocess
import SystemPackage
import Testing

/// Runs the body with a fresh directory that goes away with it.
func withTemporaryDirectory(_ body: (FilePath) async throws -> Void) async throws {
    var template = Array("/tmp/store-tests.XXXXXX".utf8CString)
    let made = try #require(mkdtemp(&template))
    let directory = FilePath(platformString: made)
    let result = await Result { try await body(directory) }
    _ = try await run(.name("rm"), arguments: ["-rf", "--one-file-system", directory.string], output: .discarded)
    try result.get()
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

extension FilePath {
    /// Permission bits, or `nil` when nothing is there.
    var mode: mode_t? {
        var status = Glibc.stat()
        return lstat(string, &status) == 0 ? status.st_mode & 0o7777 : nil
    }

    /// Writes a file directly, as something else than the store would.
    func put(_ text: String) throws {
        let file = try FileDescriptor.open(
            self,
            .writeOnly,
            options: [.create, .truncate],
            permissions: .ownerReadWrite
        )
        try file.closeAfter { _ = try file.writeAll(Array(text.utf8)) }
    }

    /// The names in a directory, for looking at what is left behind.
    func names() throws -> [String] {
        let stream = try #require(opendir(string))
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
