// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Fetch

/// Sources whose files have different lengths, when nobody said which one is right.
@Suite struct LengthDisputeTests {
    private let bytes = pattern("right", count: 1000)
    private let refusal = FetchError(.transient, code: "connection-refused", "nobody listens")

    private func calls(_ sources: ScriptedSource...) async throws -> [String] {
        try await ScriptedClient.calls(fetching: bytes, from: sources, rounds: 2)
    }

    @Test(arguments: [100, 600, 5000]) func aMirrorWithAnotherFileTakesNothingFromThePart(_ count: Int) async throws {
        let right = ScriptedSource(bytes: bytes, acts: [.drop(after: 500), .fail(refusal)], last: .serve)
        let stale = ScriptedSource(bytes: pattern("stale", count: count), acts: [], last: .serve)
        #expect(try await calls(right, stale) == ["a 0", "a 500", "b 500", "a 500"])
    }

    @Test(arguments: [900, 5000]) func whoClaimsALengthAndFallsSilentDoesNotBlockTheOthers(_ count: Int) async throws {
        let stale = ScriptedSource(
            bytes: pattern("stale", count: count),
            acts: [.drop(after: 500)],
            last: .fail(refusal)
        )
        let right = ScriptedSource(bytes: bytes, acts: [], last: .serve)
        let calls = try await calls(stale, right)
        #expect(calls.first == "a 0" && calls.last == "b 0" && calls.contains("b 500"))
    }
}
