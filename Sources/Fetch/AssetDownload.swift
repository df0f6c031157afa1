// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// One file on its way into the cache: its sources in turn, until one has brought it or none can.
struct AssetDownload {
    private let file: RemoteFile
    private let cache: AssetCache
    private let clock: any Clock<Duration>
    private let policy: RetryPolicy
    private let hedge: HedgePolicy
    private let reader: (String) -> SourceReader
    private let observer: AssetFetcher.Observer
    private var rotation: SourceRotation
    private var part: Part
    private var mayHedge = true
    private var mayStartOver = true

    init(
        _ file: RemoteFile,
        cache: AssetCache,
        clock: any Clock<Duration>,
        policy: RetryPolicy,
        hedge: HedgePolicy,
        observer: @escaping AssetFetcher.Observer,
        reader: @escaping (String) -> SourceReader
    ) {
        self.file = file
        self.cache = cache
        self.clock = clock
        self.policy = policy
        self.hedge = hedge
        self.observer = observer
        self.reader = reader
        rotation = SourceRotation(file: file)
        part = Part(cache.part(of: file.sha256))
    }

    /// Brings the file into the cache.
    ///
    /// - Throws: ``FetchError`` when no source can, `CancellationError`.
    mutating func run() async throws {
        try part.merge(Part(cache.hedge(of: file.sha256)))
        var random = SystemRandomNumberGenerator()
        var idle = 0
        while !rotation.sources.isEmpty {
            let before = part.record
            for url in rotation.sources where rotation.sources.contains(url) {
                if try await read(url) { return }
            }
            // Progress is not failure: only rounds that changed nothing count.
            idle = part.record == before ? idle + 1 : 0
            if idle >= policy.rounds {
                guard try startOver() else { break }
                idle = 0
            }
            let pause = idle == 0 ? .zero : policy.delay(after: idle - 1, using: &random)
            let wait = max(pause, min(rotation.askedDelay, policy.maximumDelay))
            if wait > .zero && !rotation.sources.isEmpty { try await clock.sleep(for: wait) }
        }
        throw rotation.verdict
    }

    /// Reads a source, and perhaps another one beside it; `true` once the file is in the cache.
    private mutating func read(_ url: String) async throws -> Bool {
        observer(file, .downloading(url: FetchError.shown(url)))
        let place = cache.hedge(of: file.sha256)
        let outcomes = try await HedgedRead(
            first: reader(url),
            second: mayHedge && !part.isDistrusted ? rotation.next(after: url).map(reader) : nil,
            place: place,
            policy: hedge,
            clock: clock
        ).run(part.mayBeContinued(by: url) ? part : part.fresh(at: place))
        if let verified = outcomes.last, verified.error == nil {
            // The other part goes first: whatever a crash leaves is the beginning of this file.
            try LocalFile.remove(verified.part.path == place ? part.path : place)
            try cache.install(verified.part.path, as: file.sha256)
            return true
        }
        for outcome in outcomes where outcome.part.path == part.path { part = outcome.part }
        for outcome in outcomes where outcome.part.path != part.path {
            mayHedge = false
            try part.merge(outcome.part)
        }
        for outcome in outcomes { try note(outcome, isAlone: outcomes.count == 1) }
        return false
    }

    private mutating func note(_ outcome: HedgedRead.Outcome, isAlone: Bool) throws(FetchError) {
        guard var error = outcome.error else { return }
        observer(file, .failed(url: FetchError.shown(outcome.url), code: error.code))
        if ["disk-full", "read-only-filesystem"].contains(error.code) {
            // No other source helps, but one part takes less space than two.
            if isAlone { throw error }
            error.kind = .transient
        }
        rotation.note(error, of: outcome.url)
    }

    /// Gives up a part whose length no source that is left agrees with; once.
    private mutating func startOver() throws(FetchError) -> Bool {
        guard mayStartOver && file.size == nil && part.length > 0 && rotation.disputesLength else { return false }
        mayStartOver = false
        try part.startOver(isDisputed: true)
        return true
    }
}
