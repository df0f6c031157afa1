// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Fetch

@Suite struct ProgressTests {
    private let bytes = pattern("f", count: 1000)
    private let refusal = ScriptedSource.Act.fail(FetchError(.transient, code: "connection-refused", "nobody listens"))

    @Test func roundsThatBringBytesDoNotCount() async throws {
        let acts = (0..<9).flatMap { _ in [.drop(after: 100), refusal] }
        let source = ScriptedSource(bytes: bytes, acts: acts, last: .serve)
        let calls = try await ScriptedClient.calls(fetching: bytes, from: [source], rounds: 1)
        #expect(calls == ["a 0"] + (1...9).flatMap { ["a \($0)00", "a \($0)00"] })
    }

    @Test func otherSourcesAreNotAskedWhileBytesCome() async throws {
        let source = ScriptedSource(bytes: bytes, acts: Array(repeating: .drop(after: 300), count: 3), last: .serve)
        let other = ScriptedSource(bytes: bytes, acts: [], last: .serve)
        let calls = try await ScriptedClient.calls(fetching: bytes, from: [source, other], rounds: 1)
        #expect(calls == ["a 0", "a 300", "a 600", "a 900"])
    }

    @Test func sourcesThatContradictedEachOtherAreKeptApart() async throws {
        let wrong = ScriptedSource(
            bytes: pattern("wrong", count: 1000),
            acts: [.drop(after: 300), refusal, .drop(after: 200)],
            last: refusal
        )
        let right = ScriptedSource(bytes: bytes, acts: [.serve, .drop(after: 500), refusal], last: .serve)
        let calls = try await ScriptedClient.calls(fetching: bytes, from: [wrong, right], rounds: 2)
        // The wrong digest at the third call; then each has its own part, and the longer one stays.
        #expect(calls == ["a 0", "a 300", "b 300", "b 0", "b 500", "a 0", "a 200", "b 500"])
    }
}
