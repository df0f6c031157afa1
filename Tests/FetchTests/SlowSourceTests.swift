// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import SystemPackage
import Testing

private let environment = ProcessInfo.processInfo.environment

/// What `bench/slow-source` runs: a fetch from sources of its own, whose figures it prints.
@Suite struct SlowSourceTests {
    @Test(.enabled(if: environment["SLOW_SOURCE_URLS"] != nil, "bench/slow-source runs it"))
    func aSlowSourceThatDropsDelivers() async throws {
        let urls = try #require(environment["SLOW_SOURCE_URLS"]).split(separator: " ").map(String.init)
        let file = RemoteFile(name: "file", sha256: try #require(environment["SLOW_SOURCE_SHA256"]), sources: urls)
        let cache = FilePath(try #require(environment["SLOW_SOURCE_CACHE"]))
        let events = EventLog()
        let time = try await ContinuousClock().measure {
            try await AssetFetcher(cache: cache, http: CurlClient()).fetch([file], observer: events.observer)
        }
        let resumed = events.all.count { if case .resuming = $0 { true } else { false } }
        let hedged = events.all.count { if case .hedging = $0 { true } else { false } }
        print("slow-source: fetched and verified in \(time), resumed \(resumed) times, hedged \(hedged) times")
        #expect(events.all.last == .fetched)
    }
}
