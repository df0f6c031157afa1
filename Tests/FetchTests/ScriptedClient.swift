// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import Synchronization
import SystemPackage
import Testing

@testable import Fetch

/// A source and what it does, call by call; then what it does for ever.
struct ScriptedSource: Sendable, CustomStringConvertible {
    enum Act: Sendable {
        /// The rest of the file.
        case serve
        /// That many bytes, then nothing.
        case drop(after: Int)
        /// The rest, slower than any floor.
        case crawl
        /// No byte.
        case fail(FetchError)
    }

    var bytes: [UInt8]
    var acts: [Act]
    var last: Act

    var description: String { "\(bytes.count) bytes, \(acts), then \(last)" }
}

/// Sources in memory under a simulated clock; resumes and refuses lengths as the real client does, and remembers what it
/// was asked.
final class ScriptedClient: HTTPClient {
    struct Call: Sendable {
        let url: String
        let file: FilePath
        let offset: Int
        /// The length the file had when the call ended.
        var end: Int?
        /// Whether the call said that the whole was there, and it was not what is wanted.
        var isWrong = false
    }

    private let sources: Mutex<[String: ScriptedSource]>
    private let log = Mutex([Call]())
    private let wanted: [UInt8]
    private let clock: SimulatedClock

    init(_ sources: [String: ScriptedSource], wanted: [UInt8], clock: SimulatedClock) {
        self.sources = Mutex(sources)
        self.wanted = wanted
        self.clock = clock
    }

    var calls: [Call] { log.withLock { $0 } }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse { HTTPResponse(status: 501) }

    func download(_ download: Download) async throws {
        let offset = Int(LocalFile.length(of: download.file))
        let index = log.withLock { log in
            log.append(Call(url: download.url, file: download.file, offset: offset))
            return log.count - 1
        }
        let (act, bytes) = next(of: download.url)
        do {
            try await play(act, bytes, download, offset)
            end(index, download, isWhole: true)
        } catch {
            end(index, download, isWhole: false)
            throw error
        }
    }

    private func next(of url: String) -> (ScriptedSource.Act, [UInt8]) {
        sources.withLock { sources in
            guard let source = sources[url] else { return (.fail(.status(404, method: "GET", url: url)), []) }
            let act = source.acts.first ?? source.last
            if !source.acts.isEmpty { sources[url]?.acts.removeFirst() }
            return (act, source.bytes)
        }
    }

    private func play(_ act: ScriptedSource.Act, _ bytes: [UInt8], _ download: Download, _ offset: Int) async throws {
        if case .fail(let error) = act { throw error }
        if let size = download.size, size != bytes.count { throw FetchError.size(of: download, is: Int64(bytes.count)) }
        if offset == bytes.count && offset > 0 { return }
        if offset > bytes.count { try LocalFile.truncate(download.file) }
        let rest = bytes[(offset > bytes.count ? 0 : offset)...]
        switch act {
        case .serve: try write(rest, download)
        case .drop(let count):
            try write(rest.prefix(count), download)
            throw FetchError(.transient, code: "connection-broken", "GET \(download.url): cut")
        case .crawl: try await crawl(rest, download)
        case .fail: return
        }
    }

    /// Eleven seconds a piece, and chances for others in between.
    private func crawl(_ rest: ArraySlice<UInt8>, _ download: Download) async throws {
        var rest = rest
        while !rest.isEmpty {
            try await clock.sleep(for: .seconds(11))
            try write(rest.prefix(100), download)
            rest = rest.dropFirst(100)
            for _ in 0..<20 { await Task.yield() }
        }
    }

    private func write(_ bytes: ArraySlice<UInt8>, _ download: Download) throws {
        let file = try FileDescriptor.open(
            download.file,
            .writeOnly,
            options: [.create, .append],
            permissions: .ownerReadWrite
        )
        try file.closeAfter { _ = try file.writeAll(bytes) }
        let total = sources.withLock { $0[download.url].map { Int64($0.bytes.count) } }
        download.progress(DownloadProgress(arrived: bytes.count, total: total))
    }

    private func end(_ index: Int, _ download: Download, isWhole: Bool) {
        let bytes = try? download.file.bytes()
        log.withLock {
            $0[index].end = bytes?.count ?? 0
            $0[index].isWrong = isWhole && bytes != wanted
        }
    }
}

extension ScriptedClient {
    /// Fetches bytes from sources that are called a, b, c; returns each call as `name offset`.
    static func calls(
        fetching bytes: [UInt8],
        from sources: [ScriptedSource],
        rounds: Int
    ) async throws -> [String] {
        let clock = SimulatedClock()
        let urls = "abc".prefix(sources.count).map { "http://\($0)/" }
        let client = ScriptedClient(Dictionary(uniqueKeysWithValues: zip(urls, sources)), wanted: bytes, clock: clock)
        let file = RemoteFile(name: "f", sha256: sha256(bytes), sources: urls)
        try await withTemporaryDirectory { directory in
            let fetcher = AssetFetcher(
                cache: directory,
                http: client,
                clock: clock,
                policy: RetryPolicy(rounds: rounds)
            )
            let paths = try await fetcher.fetch([file])
            #expect(try paths[file.sha256]?.bytes() == bytes)
        }
        return client.calls.map { "\($0.url.dropFirst(7).prefix(1)) \($0.offset)" }
    }
}
