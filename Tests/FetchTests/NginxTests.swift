// SPDX-License-Identifier: Apache-2.0
import Fetch
import Glibc
import NodeTesting
import SystemPackage
import Testing

/// Against a real server, through real connections.
@Suite struct NginxTests {
    private let clock = SimulatedClock()
    private let bytes = pattern("f", count: 1_000_000)
    private let digest: String

    init() { digest = sha256(bytes) }

    private func fetch(
        _ sources: [String],
        from server: NginxServer,
        size: Int64? = nil,
        clock: (any Clock<Duration>)? = nil,
        hedge: HedgePolicy = HedgePolicy(floor: 0),
        events: EventLog = EventLog()
    ) async throws {
        try server.directory.appending("f").put(bytes)
        let cache = server.directory.appending("cache")
        let fetcher = AssetFetcher(
            cache: cache,
            http: CurlClient(),
            clock: clock ?? self.clock,
            policy: RetryPolicy(rounds: 2),
            hedge: hedge
        )
        let file = RemoteFile(name: "f", sha256: digest, sources: sources, size: size)
        try await fetcher.fetch([file], observer: events.observer)
        #expect(try cache.appending(digest).bytes() == bytes)
        #expect(try cache.names() == [digest, digest + ".stamp"])
    }

    /// Makes the cache hold just the beginning of the file.
    private func leave(_ part: ArraySlice<UInt8>, at server: NginxServer) throws {
        let cache = server.directory.appending("cache")
        mkdir(cache.string, 0o755)
        for name in try cache.names() { unlink(cache.appending(name).string) }
        try cache.appending(digest + ".part").put(Array(part))
    }

    @Test func aConnectionThatIsCutAgainAndAgainCostsNothingTwice() async throws {
        try await NginxServer.run(cut: 100_000) { server in
            let events = EventLog()
            try await fetch([server.cutURL + "/files/f"], from: server, events: events)
            let requests = try await server.requests()
            #expect(requests.count > 8)
            #expect(requests.filter { $0.range == "-" }.count == 1)
            let starts = requests.compactMap { Int($0.range.dropFirst(6).dropLast()) }
            #expect(starts == starts.sorted() && Set(starts).count == requests.count - 1)
            #expect(clock.sleeps.isEmpty)
            #expect(events.all.first == .downloading(url: server.cutURL + "/files/f"))
            #expect(events.all.count == requests.count + 1 && events.all.last == .fetched)
        }
    }

    @Test func aSlowSourceIsOvertaken() async throws {
        try await NginxServer.run { server in
            let events = EventLog()
            let sources = [server.url + "/slow/f", server.url + "/files/f"]
            // A megabyte at 1 kB/s outlasts every stall of a busy machine.
            let hedge = HedgePolicy(floor: 10_000_000, window: .milliseconds(300))
            try await fetch(sources, from: server, clock: ContinuousClock(), hedge: hedge, events: events)
            #expect(events.all == [.downloading(url: sources[0]), .hedging(url: sources[1]), .fetched])
            let fast = try #require(try await server.requests().first { $0.path == "/files/f" })
            // From where the slow one had come to; on a busy machine that may be nowhere yet.
            let start = Int(fast.range.dropFirst("bytes=".count).dropLast()) ?? 0
            #expect(fast.sent == bytes.count - start)
        }
    }

    @Test func aPartIsContinuedByWhoeverKnowsRanges() async throws {
        try await NginxServer.run { server in
            try leave(bytes[..<400_000], at: server)
            try await fetch([server.url + "/files/f"], from: server)
            let requests = try await server.requests()
            #expect(requests == [.init(path: "/files/f", range: "bytes=400000-", status: 206, sent: 600_000)])
        }
    }

    @Test(arguments: [400_000, 600_000]) func aServerWithoutRangesTakesNothingAway(_ cut: Int) async throws {
        try await NginxServer.run(cut: cut) { server in
            try leave(bytes[..<500_000], at: server)
            try await fetch([server.cutURL + "/whole/f", server.url + "/files/f"], from: server)
            let requests = try await server.requests()
            #expect(requests.filter { $0.path == "/whole/f" }.allSatisfy { $0.status == 200 })
            let rest = try #require(requests.last { $0.path == "/files/f" })
            let start = try #require(Int(rest.range.dropFirst(6).dropLast()))
            // A cut before the part's end takes nothing; what comes after it stays.
            #expect(rest.status == 206 && cut < 500_000 ? start == 500_000 : start > 500_000)
        }
    }

    @Test func aCompletePartIsVerifiedAndNotFetchedAgain() async throws {
        try await NginxServer.run { server in
            try leave(bytes[...], at: server)
            try await fetch([server.url + "/files/f"], from: server, size: Int64(bytes.count))
            let requests = try await server.requests()
            #expect(requests.map(\.status) == [416])
        }
    }

    @Test func aPartThatIsTooLongIsStartedOver() async throws {
        try await NginxServer.run { server in
            for size in [nil, Int64(bytes.count)] {
                try leave((bytes + [1, 2, 3])[...], at: server)
                try await fetch([server.url + "/files/f"], from: server, size: size)
            }
            #expect(try await server.requests().map(\.status) == [416, 200, 200])
        }
    }

    @Test func whatIsForbiddenMissingOrCutIsLeftAtOnce() async throws {
        try await NginxServer.run { server in
            let events = EventLog()
            let names = ["forbidden/f", "files/missing", "reset/f", "files/f"]
            try await fetch(names.map { server.url + "/" + $0 }, from: server, events: events)
            let codes = events.all.compactMap { if case .failed(_, let code) = $0 { code } else { nil } }
            #expect(codes == ["http-403", "http-404", "connection-broken"])
            #expect(clock.sleeps.isEmpty)
        }
    }

    @Test func anOlderFileUnderTheSameNameIsNotTheFile() async throws {
        try await NginxServer.run { server in
            try server.directory.appending("old-f").put(pattern("old", count: 1_000_000))
            let events = EventLog()
            let sources = [server.url + "/stale/f", server.url + "/files/f"]
            try await fetch(sources, from: server, events: events)
            #expect(events.all.contains(.failed(url: sources[0], code: "asset-digest-mismatch")))
            // The other source's good beginning does not make it right either.
            try leave(bytes[..<400_000], at: server)
            try await fetch(sources, from: server)
        }
    }

    @Test func aFileOfAnotherSizeIsRefusedBeforeItsBytes() async throws {
        try await NginxServer.run { server in
            try server.directory.appending("old-f").put(pattern("old", count: 2_000_000))
            let events = EventLog()
            let sources = [server.url + "/stale/f", server.url + "/files/f"]
            for part in [0, 400_000] {
                try leave(bytes[..<part], at: server)
                try await fetch(sources, from: server, size: Int64(bytes.count), events: events)
                let good = try #require(try await server.requests().last { $0.path == "/files/f" })
                #expect(good.sent == bytes.count - part)
            }
            let refused = AssetEvent.failed(url: sources[0], code: "asset-size-mismatch")
            #expect(events.all.filter { $0 == refused }.count == 2)
        }
    }

    @Test func aServerThatAsksForTimeGetsIt() async throws {
        try await NginxServer.run { server in
            await #expect { try await fetch([server.url + "/later/f"], from: server) } throws: {
                isFetchError("asset-unreachable", .transient)($0)
            }
            #expect(clock.sleeps == [.seconds(7)])
        }
    }

    @Test func aSealedFetchGoesNowhereElse() async throws {
        try await NginxServer.run { server in
            try server.directory.appending("f").put(bytes)
            let sources = [server.url + "/moved/f", server.url + "/files/f"]
            let locked = RemoteFile(name: "f", sha256: digest, sources: sources)
            let cache = server.directory.appending("cache")
            let events = EventLog()
            let fetcher = AssetFetcher(cache: cache, http: CurlClient(), clock: clock, allowed: AllowedAssets([locked]))
            var stranger = locked
            stranger.sources.append(server.url + "/whole/f")
            let unknown = RemoteFile(name: "g", sha256: String(repeating: "0", count: 64), sources: locked.sources)
            for file in [stranger, unknown] {
                await #expect { try await fetcher.fetch([locked, file]) } throws: {
                    isFetchError("asset-not-locked", .permanent)($0)
                }
            }
            #expect(try await server.requests() == [])
            try await fetcher.fetch([locked], observer: events.observer)
            #expect(events.all.contains(.failed(url: locked.sources[0], code: "redirect-refused")))
            #expect(try await server.requests().map(\.path) == ["/moved/f", "/files/f"])
        }
    }
}
