// SPDX-License-Identifier: Apache-2.0
import Glibc
import Subprocess
import SystemPackage
import Testing

/// Runs the body with a fresh directory that goes away with it.
func withTemporaryDirectory(_ body: (FilePath) async throws -> Void) async throws {
    var template = Array("/tmp/fetch-tests.XXXXXX".utf8CString)
    let directory = FilePath(platformString: try #require(mkdtemp(&template)))
    let outcome: Result<Void, any Error>
    do { outcome = .success(try await body(directory)) } catch { outcome = .failure(error) }
    _ = try await run(.name("rm"), arguments: ["-rf", "--one-file-system", directory.string], output: .discarded)
    try outcome.get()
}
