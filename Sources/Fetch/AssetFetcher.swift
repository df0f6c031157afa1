// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// Brings files into a cache directory, named by digest and verified.
///
/// Downloads run at most four at once, resume where an earlier run or a broken connection stopped, and rotate over their
/// sources; beside a slow one the next is read too. Nothing in the cache is believed without its digest.
public struct AssetFetcher: Sendable {
    /// Hears what happens to each file; called from any task.
    public typealias Observer = @Sendable (RemoteFile, AssetEvent) -> Void

    private static let width = 4
    private let cache: AssetCache
    private let http: any HTTPClient
    private let clock: any Clock<Duration>
    private let policy: RetryPolicy
    private let hedge: HedgePolicy
    private let timeouts: Timeouts
    private let allowed: AllowedAssets?

    /// Makes a fetcher.
    ///
    /// - Parameters:
    ///   - cache: The directory, made with the first download.
    ///   - http: What downloads.
    ///   - clock: What measures the waits between rounds, and the speed of a source.
    ///   - policy: How often sources are tried again.
    ///   - hedge: When a second source is read beside a slow one.
    ///   - timeouts: Limits of one download.
    ///   - allowed: The lock of a sealed cluster: nothing else is asked for, and no redirect is followed.
    public init(
        cache: FilePath,
        http: any HTTPClient,
        clock: any Clock<Duration> = ContinuousClock(),
        policy: RetryPolicy = RetryPolicy(),
        hedge: HedgePolicy = HedgePolicy(),
        timeouts: Timeouts = Timeouts(connect: .seconds(10), total: .seconds(3600), stall: .seconds(30)),
        allowed: AllowedAssets? = nil
    ) {
        self.cache = AssetCache(directory: cache)
        self.http = http
        self.clock = clock
        self.policy = policy
        self.hedge = hedge
        self.timeouts = timeouts
        self.allowed = allowed
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
    /// - Throws: ``FetchError``: permanent `asset-digest-mismatch` or `asset-size-mismatch` when every source has other
    ///   bytes, `asset-not-found` when none has the file, `asset-not-locked` before any connection when the lock does not
    ///   allow a source, `disk-full`; transient `asset-unreachable` when the rounds are used up.
    @discardableResult
    public func fetch(
        _ files: [RemoteFile],
        observer: @escaping Observer = { _, _ in }
    ) async throws -> [String: FilePath] {
        try check(files)
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

    private func fetchOne(_ file: RemoteFile, _ observer: @escaping Observer) async throws {
        if try await cache.has(file.sha256, remember: true) { return observer(file, .cached) }
        try LocalFile.makeDirectory(cache.directory)
        try cache.discard(file.sha256)
        var download = AssetDownload(
            file,
            cache: cache,
            clock: clock,
            policy: policy,
            hedge: hedge,
            observer: observer
        ) { url in
            SourceReader(
                file: file,
                url: url,
                http: http,
                timeouts: timeouts,
                followsRedirects: allowed == nil,
                observer: observer
            )
        }
        try await download.run()
        observer(file, .fetched)
    }

    private func check(_ files: [RemoteFile]) throws(FetchError) {
        for file in files {
            try Self.check(file)
            try allowed?.check(file)
        }
    }

    private static func check(_ file: RemoteFile) throws(FetchError) {
        if let size = file.size, size < 0 {
            throw FetchError(
                .permanent,
                code: "asset-size-invalid",
                "\(file.name): \(size) is no number of bytes",
                hint: "correct the size"
            )
        }
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
                merged[index].size = merged[index].size ?? file.size
            } else {
                merged.append(file)
            }
        }
        return merged
    }
}
