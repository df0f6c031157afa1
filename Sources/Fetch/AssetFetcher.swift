// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// Brings files into a cache directory, named by digest and verified.
///
/// Downloads run at most four at once, resume where an earlier run stopped, and rotate over their sources. Nothing in the
/// cache is believed without its digest.
public struct AssetFetcher: Sendable {
    /// Hears what happens to each file; called from any task.
    public typealias Observer = @Sendable (RemoteFile, AssetEvent) -> Void

    private static let width = 4
    private let cache: AssetCache
    private let http: any HTTPClient
    private let clock: any Clock<Duration>
    private let policy: RetryPolicy
    private let timeouts: Timeouts

    /// Makes a fetcher.
    ///
    /// - Parameters:
    ///   - cache: The directory, made with the first download.
    ///   - http: What downloads.
    ///   - clock: What measures the waits between rounds.
    ///   - policy: How often sources are tried again.
    ///   - timeouts: Limits of one download.
    public init(
        cache: FilePath,
        http: any HTTPClient,
        clock: any Clock<Duration> = ContinuousClock(),
        policy: RetryPolicy = RetryPolicy(),
        timeouts: Timeouts = Timeouts(connect: .seconds(10), total: .seconds(3600), stall: .seconds(30))
    ) {
        self.cache = AssetCache(directory: cache)
        self.http = http
        self.clock = clock
        self.policy = policy
        self.timeouts = timeouts
    }

    /// Where a file is or will be, for plans.
    public func path(of file: RemoteFile) -> FilePath { cache.path(of: file.sha256) }

    /// Whether the cache has a file, verified; changes nothing.
    public func has(_ file: RemoteFile) async throws -> Bool {
        try Self.check(file)
        return try await cache.has(file.sha256, remember: false)
    }

    /// Brings all files into the cache; the first failure ends the others, whose parts stay for the next run.
    ///
    /// - Returns: Each file's path by its digest.
    /// - Throws: ``FetchError``: permanent `asset-digest-mismatch` when every source has other bytes, permanent
    ///   `asset-not-found` when none has the file, transient `asset-unreachable` when the rounds are used up.
    @discardableResult
    public func fetch(
        _ files: [RemoteFile],
        observer: @escaping Observer = { _, _ in }
    ) async throws -> [String: FilePath] {
        for file in files { try Self.check(file) }
        var waiting = Self.merged(files)[...]
        return try await withThrowingTaskGroup(of: RemoteFile.self) { group in
            var paths: [String: FilePath] = [:]
            func start() {
                guard let file = waiting.popFirst() else { return }
                group.addTask {
                    try await fetchOne(file, observer)
                    return file
                }
            }
            for _ in 0..<Self.width { start() }
            while let done = try await group.next() {
                paths[done.sha256] = cache.path(of: done.sha256)
                start()
            }
            return paths
        }
    }

    private func fetchOne(_ file: RemoteFile, _ observer: Observer) async throws {
        if try await cache.has(file.sha256, remember: true) { return observer(file, .cached) }
        try LocalFile.makeDirectory(cache.directory)
        try cache.discard(file.sha256)
        var random = SystemRandomNumberGenerator()
        var attempt = SourceRotation(file: file)
        for round in 0..<policy.rounds {
            for url in attempt.sources {
                observer(file, .downloading(url: FetchError.shown(url)))
                do {
                    try await download(file, from: url)
                    return observer(file, .fetched)
                } catch let error as FetchError {
                    observer(file, .failed(url: FetchError.shown(url), code: error.code))
                    attempt.note(error, of: url)
                }
            }
            guard !attempt.sources.isEmpty else { break }
            guard round + 1 < policy.rounds else { break }
            let wait = max(policy.delay(after: round, using: &random), min(attempt.askedDelay, policy.maximumDelay))
            try await clock.sleep(for: wait)
        }
        throw attempt.verdict
    }

    private func download(_ file: RemoteFile, from url: String) async throws {
        let part = cache.part(of: file.sha256)
        var resumed = LocalFile.length(of: part) > 0
        while true {
            try await http.download(Download(url: url, file: part, timeouts: timeouts))
            let found = try await AssetCache.sha256(of: part)
            if found == file.sha256 { return try cache.install(file.sha256) }
            try LocalFile.remove(part)
            // A part that another source began may be to blame: once more, from the first byte.
            guard resumed else { throw SourceRotation.mismatch(file, url: url, found: found) }
            resumed = false
        }
    }

    private static func check(_ file: RemoteFile) throws(FetchError) {
        guard file.sha256.count == 64, file.sha256.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) else {
            throw FetchError(
                .permanent,
                code: "asset-digest-invalid",
                "\(file.name): \"\(file.sha256)\" is no SHA-256 of 64 hex digits",
                hint: "correct the digest"
            )
        }
    }

    /// One entry for each digest, with the sources of all that ask for it.
    private static func merged(_ files: [RemoteFile]) -> [RemoteFile] {
        var merged: [RemoteFile] = []
        for file in files {
            if let index = merged.firstIndex(where: { $0.sha256 == file.sha256 }) {
                merged[index].sources += file.sources.filter { !merged[index].sources.contains($0) }
            } else {
                merged.append(file)
            }
        }
        return merged
    }
}
