// SPDX-License-Identifier: Apache-2.0
import Glibc
import Subprocess
import Synchronization
import SystemPackage
import Testing

@testable import Fetch

/// A clock whose sleeps are over at once and remembered.
final class ImmediateClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Self { Self(offset: offset + duration) }
        func duration(to other: Self) -> Duration { other.offset - offset }
        static func < (left: Self, right: Self) -> Bool { left.offset < right.offset }
    }

    private let time = Mutex((now: Duration.zero, sleeps: [Duration]()))
    var now: Instant { Instant(offset: time.withLock { $0.now }) }
    var minimumResolution: Duration { .nanoseconds(1) }
    var sleeps: [Duration] { time.withLock { $0.sleeps } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        time.withLock {
            $0.sleeps.append(deadline.offset - $0.now)
            $0.now = deadline.offset
        }
    }
}

/// Remembers what a fetcher tells.
final class EventLog: Sendable {
    private let events = Mutex([AssetEvent]())
    var all: [AssetEvent] { events.withLock { $0 } }
    var observer: AssetFetcher.Observer { { _, event in self.events.withLock { $0.append(event) } } }
}

@Suite struct AssetFetcherTests {
    let clock = ImmediateClock()
    let client = CurlClient()

    func fetcher(_ server: TestServer) -> AssetFetcher {
        AssetFetcher(cache: server.directory.appending("cache/assets"), http: client, clock: clock)
    }

    func digest(_ bytes: [UInt8]) -> String { sha256(bytes) }

    func cached(_ server: TestServer) throws -> [String] {
        try server.directory.appending("cache/assets").names().filter { !$0.hasSuffix(".stamp") }
    }

    @Test func manyFilesArriveVerifiedAndTheSecondRunAsksNobody() async throws {
        try await TestServer.run { server in
            var contents: [String: [UInt8]] = [:]
            var files: [RemoteFile] = []
            for number in 0..<12 {
                let bytes = try server.serve("f\(number)", count: number * 10_000)
                contents[digest(bytes)] = bytes
                files.append(
                    RemoteFile(name: "f\(number)", sha256: digest(bytes), sources: ["\(server.url)/ok/f\(number)"])
                )
            }
            let paths = try await fetcher(server).fetch(files + files.shuffled())
            #expect(Set(paths.keys) == Set(contents.keys))
            for (sha256, path) in paths { #expect(try path.bytes() == contents[sha256]) }
            let asked = try await client.log(of: server)
            #expect(asked.count == 12)
            let events = EventLog()
            #expect(try await fetcher(server).fetch(files, observer: events.observer) == paths)
            #expect(events.all == Array(repeating: .cached, count: 12))
            #expect(try await client.log(of: server) == asked)
            #expect(try cached(server) == contents.keys.sorted())
        }
    }

    @Test func whatWasAlteredInTheCacheIsNeverTrusted() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: 10_000)
            let file = RemoteFile(name: "f", sha256: digest(bytes), sources: ["\(server.url)/ok/f"])
            try await fetcher(server).fetch([file])
            let path = fetcher(server).path(of: file)
            let reference = server.directory.appending("reference").string
            _ = try await run(.name("cp"), arguments: ["-p", path.string, reference], output: .discarded)
            // Same inode, same size, same modification time.
            let descriptor = try FileDescriptor.open(path, .readWrite)
            try descriptor.closeAfter { _ = try descriptor.writeAll(toAbsoluteOffset: 5, [bytes[5] ^ 1]) }
            _ = try await run(.name("touch"), arguments: ["-r", reference, path.string], output: .discarded)
            #expect(try await !fetcher(server).has(file))
            try await fetcher(server).fetch([file])
            #expect(try path.bytes() == bytes)
        }
    }

    @Test func aStampSavesTheHashAndOnlyForTheSameFile() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: 1000)
            let file = RemoteFile(name: "f", sha256: digest(bytes), sources: ["\(server.url)/ok/f"])
            try await fetcher(server).fetch([file])
            let path = fetcher(server).path(of: file)
            let stamp = FilePath(path.string + ".stamp")
            let right = try stamp.bytes()
            try stamp.put([])
            #expect(try await fetcher(server).has(file))
            // A forged stamp is believed: proof that the bytes are not looked at again.
            try path.put([0])
            try stamp.put(right)
            #expect(try await !fetcher(server).has(file))
            try stamp.put(Array(try #require(AssetCache.fingerprint(of: path)).utf8))
            #expect(try await fetcher(server).has(file))
        }
    }

    @Test func lookingChangesNothing() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: 10)
            let file = RemoteFile(name: "f", sha256: digest(bytes), sources: ["\(server.url)/ok/f"])
            #expect(try await !fetcher(server).has(file))
            #expect(try server.directory.names() == ["files"])
            try await fetcher(server).fetch([file])
            let cache = server.directory.appending("cache/assets")
            unlink(cache.appending(file.sha256 + ".stamp").string)
            #expect(try await fetcher(server).has(file))
            #expect(try cache.names() == [file.sha256])
        }
    }

    @Test func wrongBytesEverywhereArePermanentAndNamed() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: 10)
            let wanted = digest([1])
            let sources = ["\(server.url)/ok/f?secret", "\(server.url)/norange/f"]
            await #expect {
                try await fetcher(server).fetch([RemoteFile(name: "kubelet", sha256: wanted, sources: sources)])
            } throws: { error in
                let text = "\(error)"
                return isFetchError("asset-digest-mismatch", .permanent)(error)
                    && ["kubelet", "\(server.url)/ok/f", wanted, digest(bytes)].allSatisfy(text.contains)
                    && !text.contains("secret")
            }
            #expect(clock.sleeps.isEmpty)
            #expect(try cached(server) == [])
        }
    }

    @Test func oneGoodSourceIsEnough() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("good", count: 5000)
            _ = try server.serve("bad", count: 5000)
            let file = RemoteFile(
                name: "f",
                sha256: digest(bytes),
                sources: [
                    "http://127.0.0.1:1/f", "\(server.url)/ok/missing", "\(server.url)/ok/bad", "file:///missing",
                    "\(server.url)/ok/good",
                ]
            )
            let events = EventLog()
            let paths = try await fetcher(server).fetch([file], observer: events.observer)
            #expect(try paths[file.sha256]?.bytes() == bytes)
            #expect(events.all.filter { if case .failed = $0 { true } else { false } }.count == 4)
            #expect(clock.sleeps.isEmpty)
        }
    }

    @Test func aFileThatIsNowhereIsPermanentAtOnce() async throws {
        try await TestServer.run { server in
            for sources in [["\(server.url)/ok/a", "\(server.url)/status/410", "file:///missing"], []] {
                await #expect {
                    try await fetcher(server).fetch([RemoteFile(name: "a", sha256: digest([]), sources: sources)])
                } throws: { isFetchError("asset-not-found", .permanent)($0) }
            }
            #expect(clock.sleeps.isEmpty)
            await #expect {
                try await fetcher(server).fetch([RemoteFile(name: "a", sha256: "../../etc/passwd", sources: [])])
            } throws: { isFetchError("asset-digest-invalid", .permanent)($0) }
        }
    }

    @Test func whatPassesIsTriedAgainWithLongerWaits() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: 5000)
            let file = RemoteFile(name: "f", sha256: digest(bytes), sources: ["\(server.url)/flaky/3/f"])
            try await fetcher(server).fetch([file])
            #expect(clock.sleeps.count == 3)
        }
    }

    @Test func whatDoesNotPassEndsWithinTheRounds() async throws {
        try await TestServer.run { server in
            let policy = RetryPolicy(rounds: 8)
            let fetcher = AssetFetcher(
                cache: server.directory.appending("cache"),
                http: client,
                clock: clock,
                policy: policy
            )
            await #expect {
                try await fetcher.fetch([
                    RemoteFile(
                        name: "f",
                        sha256: digest([]),
                        sources: ["http://127.0.0.1:1/", "\(server.url)/status/503"]
                    )
                ])
            } throws: { isFetchError("asset-unreachable", .transient)($0) }
            #expect(clock.sleeps.count == 7)
            #expect(clock.sleeps.allSatisfy { $0 > .zero && $0 <= .seconds(30) })
            #expect(clock.sleeps.last.map { $0 >= .seconds(15) } == true)
        }
    }

    @Test func anInterruptedTransferIsResumedAndABadPartStartedOver() async throws {
        try await TestServer.run { server in
            let bytes = try server.serve("f", count: 5000)
            let file = RemoteFile(name: "f", sha256: digest(bytes), sources: ["\(server.url)/resetonce/f"])
            try await fetcher(server).fetch([file])
            #expect(try await client.log(of: server) == ["/resetonce/f -", "/resetonce/f bytes=1000-"])
            let cache = server.directory.appending("cache/assets")
            unlink(cache.appending(file.sha256).string)
            try cache.appending(file.sha256 + ".part").put([UInt8](repeating: 7, count: 4000))
            try await fetcher(server).fetch([file])
            #expect(try cache.appending(file.sha256).bytes() == bytes)
            #expect(try cached(server) == [file.sha256])
        }
    }
}
