// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Subprocess
import Synchronization
import SystemPackage
import Testing

/// The Python environment that `packaging/test-servers` makes, and programs run in it.
enum TestEnvironment {
    static let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()

    /// Its interpreter.
    static func python() throws -> FilePath {
        let cache = ProcessInfo.processInfo.environment["KOPSLITE_CACHE"] ?? "/var/cache/kopslite"
        let python = FilePath(cache).appending("test-venv/bin/python")
        try #require(
            FileManager.default.isExecutableFile(atPath: python.string),
            "\(python) is not there: run packaging/test-servers"
        )
        return python
    }

    /// What a script prints.
    static func run(_ script: String, _ arguments: String...) async throws -> String {
        let result = try await Subprocess.run(
            .path(python()),
            arguments: Arguments(["-c", script] + arguments),
            output: .string(limit: 64 << 20),
            error: .string(limit: 1 << 20)
        )
        try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
        return result.standardOutput
    }

    /// Runs a server that prints its port first and ends with its standard input.
    static func serve(
        _ script: String,
        _ arguments: [String] = [],
        _ body: @Sendable (Int) async throws -> Void
    ) async throws {
        _ = try await Subprocess.run(
            .path(python()),
            arguments: Arguments([root.pushing("Tests/servers").appending(script).string] + arguments),
            input: .inputWriter,
            output: .sequence,
            error: .discarded
        ) { server in
            let result: Result<Void, any Error>
            do {
                let line = try await server.standardOutput.strings().first { _ in true }
                let port = try #require(line.flatMap { Int($0.prefix { $0.isNumber }) }, "\(script) did not start")
                result = .success(try await body(port))
            } catch {
                result = .failure(error)
            }
            try await server.standardInputWriter.finish()
            try result.get()
        }
    }
}
