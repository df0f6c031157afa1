// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import SystemPackage
import Testing

@testable import Fetch

/// Sources whose files have different lengths, when nobody said which one is right.
@Suite(.timeLimit(.minutes(1))) struct LengthDisputeTests {
    private let bytes = pattern("right", count: 1000)
    private let refusal = FetchError(.transient, code: "connection-refused", "nobody listens")

    /// Fetches from `http://a/` and `http://b/`; returns the calls as `name offset`.
    private func calls(_ a: ScriptedSource, _ b: ScriptedSource) async throws -> [String] {
        let clock = SimulatedClock()
        let client = ScriptedClient(["http://a/": a, "http://b/": b], wanted: bytes, clock: clock)
        let file = RemoteFile(name: "f", sha256: sha256(bytes), sources: ["http://a/", "http://b/"])
        try await withTemporaryDirectory { directory in
            let fetcher = AssetFetcher(cache: directory, http: client, clock: clock, policy: RetryPolicy(rounds: 2))
            let paths = try await fetcher.fetch([file])
            #expect(try paths[file.sha256]?.bytes() == bytes)
        }
        return client.calls.map { "\($0.url.dropFirst(7).prefix(1)) \($0.offset)" }
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
