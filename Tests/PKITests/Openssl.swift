// SPDX-License-Identifier: Apache-2.0
import Glibc
import Subprocess
import SystemPackage
import Testing

/// The openssl command on files of one test, in a directory that goes away with it.
struct Openssl {
    let directory: FilePath

    /// Runs the body with a fresh directory.
    static func inDirectory(_ body: (Openssl) async throws -> Void) async throws {
        var template = Array("/tmp/pki-tests.XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template)).withMemoryRebound(to: CChar.self, capacity: 1) {
            FilePath(platformString: $0)
        }
        do {
            try await body(Openssl(directory: directory))
        } catch {
            try await remove(directory)
            throw error
        }
        try await remove(directory)
    }

    private static func remove(_ directory: FilePath) async throws {
        _ = try await run(.name("rm"), arguments: ["-rf", directory.string], output: .discarded)
    }

    /// Writes a file and returns its path.
    func file(_ name: String, _ text: String) throws -> String {
        let path = directory.appending(name)
        let file = try FileDescriptor.open(
            path,
            .writeOnly,
            options: [.create, .truncate],
            permissions: FilePermissions(rawValue: 0o600)
        )
        try file.closeAfter { _ = try file.writeAll(Array(text.utf8)) }
        return path.string
    }

    /// Runs openssl; what it says on both streams, and whether it succeeded.
    func callAsFunction(_ arguments: [String]) async throws -> (text: String, succeeded: Bool) {
        let result = try await run(
            .name("openssl"),
            arguments: Arguments(arguments),
            output: .string(limit: 1 << 20),
            error: .combinedWithOutput
        )
        return (result.standardOutput, result.terminationStatus.isSuccess)
    }
}
