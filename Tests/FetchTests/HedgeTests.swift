// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import Synchronization
import SystemPackage
import Testing

@testable import Fetch

/// A client whose sources are closures, so that a test decides who waits for whom.
private struct StagedClient: HTTPClient {
    var sources: [String: @Sendable (Download) async throws -> Void]

    func send(_ request: HTTPRequest) async throws -> HTTPResponse { HTTPResponse(status: 501) }

    func download(_ download: Download) async throws {
        guard let source = sources[download.url] else { throw FetchError.status(404, method: "GET", url: download.url) }
        try await source(download)
    }
}

/// Opens once; whoever waits for it goes on, or is cancelled.
private struct Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func open() { continuation.finish() }

    func wait() async throws {
        for await _ in stream {}
        try Task.checkCancellation()
    }
}

@Suite struct HedgeTests {
    private let clock = SimulatedClock()
    private let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    private let slow = "http://slow/f"
    private let other = "http://other/f"

    private func fetch(
        _ sources: [String: @Sendable (Download) async throws -> Void],
        at directory: FilePath,
        _ events: EventLog,
        order: [String]? = nil
    ) async throws -> [UInt8] {
        let digest = sha256(bytes)
        let file = RemoteFile(name: "f", sha256: digest, sources: order ?? [slow, other])
        let fetcher = AssetFetcher(cache: directory, http: StagedClient(sources: sources), clock: clock)
        let paths = try await fetcher.fetch([file], observer: events.observer)
        #expect(try directory.names() == [digest, digest + ".stamp"])
        return try #require(try paths[digest]?.bytes())
    }

    /// Writes on to a byte and tells.
    private func write(to end: Int, _ download: Download) throws {
        let start = Int(LocalFile.length(of: download.file))
        let file = try FileDescriptor.open(
            download.file,
            .writeOnly,
            options: [.create, .append],
            permissions: .ownerReadWrite
        )
        try file.closeAfter { _ = try file.writeAll(bytes[start..<max(start, end)]) }
        download.progress(DownloadProgress(arrived: max(start, end) - start, total: 1000))
    }

    /// Ten seconds without a byte.
    private func lull(_ download: Download) async throws {
        try await clock.sleep(for: .seconds(10))
        download.progress(DownloadProgress(arrived: 0))
    }

    @Test func theNextSourceGoesOnWhereTheSlowOneIsAndEndsIt() async throws {
        try await withTemporaryDirectory { directory in
            let events = EventLog()
            let cancelled = Mutex(false)
            let offset = Mutex<Int64?>(nil)
            let found = try await fetch(
                [
                    slow: { download in
                        try write(to: 300, download)
                        try await lull(download)
                        do { try await Gate().wait() } catch {
                            cancelled.withLock { $0 = true }
                            throw error
                        }
                    },
                    other: { download in
                        offset.withLock { $0 = LocalFile.length(of: download.file) }
                        try write(to: 1000, download)
                    },
                ],
                at: directory,
                events
            )
            #expect(found == bytes)
            #expect(events.all == [.downloading(url: slow), .hedging(url: other), .fetched])
            #expect(offset.withLock { $0 } == 300)
            #expect(cancelled.withLock { $0 })
        }
    }

    @Test func aSecondSourceThatFailsCostsTheFirstNothing() async throws {
        try await withTemporaryDirectory { directory in
            for failure in ["http-404", "disk-full", "connection-broken"] {
                let events = EventLog()
                let failed = Gate()
                let found = try await fetch(
                    [
                        slow: { download in
                            try write(to: 300, download)
                            try await lull(download)
                            try await failed.wait()
                            try write(to: 1000, download)
                        },
                        other: { _ in
                            defer { failed.open() }
                            let kind: FetchError.Class = failure == "connection-broken" ? .transient : .permanent
                            throw FetchError(kind, code: failure, "no")
                        },
                    ],
                    at: directory,
                    events
                )
                #expect(found == bytes)
                #expect(events.all.starts(with: [.downloading(url: slow), .hedging(url: other)]))
                #expect(events.all.last == .fetched && events.all.count == 3)
                for name in try directory.names() { try LocalFile.remove(directory.appending(name)) }
            }
        }
    }

    @Test func whenTheSecondIsSlowTooBothGoOnAndThereIsNoThird() async throws {
        try await withTemporaryDirectory { directory in
            let events = EventLog()
            let isSlowToo = Gate()
            let third = "http://third/f"
            let found = try await fetch(
                [
                    slow: { download in
                        try write(to: 300, download)
                        for _ in 0..<5 { try await lull(download) }
                        try await isSlowToo.wait()
                        try write(to: 1000, download)
                    },
                    other: { download in
                        for _ in 0..<5 { try await lull(download) }
                        isSlowToo.open()
                        try await Gate().wait()
                    },
                    third: { _ in Issue.record("a third source was asked") },
                ],
                at: directory,
                events,
                order: [slow, other, third]
            )
            #expect(found == bytes)
            #expect(events.all == [.downloading(url: slow), .hedging(url: other), .fetched])
        }
    }

    @Test func aFirstSourceThatFailsLeavesTheSecondRunning() async throws {
        try await withTemporaryDirectory { directory in
            let events = EventLog()
            let failed = Gate()
            let found = try await fetch(
                [
                    slow: { download in
                        defer { failed.open() }
                        if LocalFile.length(of: download.file) < 300 {
                            try write(to: 300, download)
                            try await lull(download)
                        }
                        throw FetchError(.transient, code: "connection-broken", "cut")
                    },
                    other: { download in
                        try await failed.wait()
                        try write(to: 1000, download)
                    },
                ],
                at: directory,
                events
            )
            #expect(found == bytes)
        }
    }

    @Test func aSlowSourceWithWrongBytesSpoilsNothing() async throws {
        try await withTemporaryDirectory { directory in
            let events = EventLog()
            let found = try await fetch(
                [
                    slow: { download in
                        try download.file.put([UInt8](repeating: 9, count: 300))
                        try await lull(download)
                        try await Gate().wait()
                    },
                    other: { try write(to: 1000, $0) },
                ],
                at: directory,
                events
            )
            #expect(found == bytes)
        }
    }

    @Test func theLongerOfTwoPartsIsKeptWhenBothSourcesFail() async throws {
        try await withTemporaryDirectory { directory in
            let failed = Gate()
            let lengths = Mutex([Int64]())
            let found = try await fetch(
                [
                    slow: { download in
                        let length = LocalFile.length(of: download.file)
                        lengths.withLock { $0.append(length) }
                        if length == 0 {
                            try write(to: 300, download)
                            try await lull(download)
                            try await failed.wait()
                        }
                        guard length == 700 else { throw FetchError(.transient, code: "connection-broken", "cut") }
                        try write(to: 1000, download)
                    },
                    other: { download in
                        defer { failed.open() }
                        try write(to: 700, download)
                        throw FetchError(.permanent, code: "http-403", "no")
                    },
                ],
                at: directory,
                EventLog()
            )
            #expect(found == bytes)
            #expect(lengths.withLock { $0 } == [0, 300, 700])
        }
    }

    @Test func whatAKilledHedgeLeftIsUsed() async throws {
        try await withTemporaryDirectory { directory in
            let digest = sha256(bytes)
            try directory.appending(digest + ".part").put(Array(bytes[..<100]))
            try directory.appending(digest + ".hedge").put(Array(bytes[..<900]))
            let lengths = Mutex([Int64]())
            let found = try await fetch(
                [
                    slow: { download in
                        lengths.withLock { $0.append(LocalFile.length(of: download.file)) }
                        try write(to: 1000, download)
                    }
                ],
                at: directory,
                EventLog()
            )
            #expect(found == bytes)
            #expect(lengths.withLock { $0 } == [900])
        }
    }

    @Test func aSilentSourceIsOvertakenToo() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: 5000)
            let digest = sha256(bytes)
            let sources = [server.url + "/stall", server.url + "/ok/f"]
            let cache = server.directory.appending("cache")
            let hedge = HedgePolicy(floor: 1, window: .milliseconds(200))
            let events = EventLog()
            try await AssetFetcher(cache: cache, http: CurlClient(), hedge: hedge).fetch(
                [RemoteFile(name: "f", sha256: digest, sources: sources)],
                observer: events.observer
            )
            #expect(events.all == [.downloading(url: sources[0]), .hedging(url: sources[1]), .fetched])
            #expect(try cache.appending(digest).bytes() == bytes)
        }
    }
}
