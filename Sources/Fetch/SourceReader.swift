// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Reads one source for as long as that brings bytes, and believes the whole only with its digest.
struct SourceReader: Sendable {
    let file: RemoteFile
    let url: String
    let http: any HTTPClient
    let timeouts: Timeouts
    let followsRedirects: Bool
    let observer: AssetFetcher.Observer

    /// Completes a part and verifies it.
    ///
    /// A transfer that broke off is taken up again at once and without end, as every time needs at least one byte more.
    /// The gauge hears of every byte.
    ///
    /// - Throws: ``FetchError`` once the source brings nothing, or when the digest is wrong and nobody else to blame.
    func complete(_ part: inout Part, gauge: SpeedGauge?) async throws {
        part.begin(from: url)
        while true {
            try await readOn(&part, gauge)
            let found = try await AssetCache.sha256(of: part.path)
            if found == file.sha256 { return }
            // A part that others began may be to blame: once more, from the first byte.
            let isToBlame = !part.isMixed
            try part.startOver(isDisputed: !isToBlame)
            guard !isToBlame else { throw SourceRotation.mismatch(file, url: url, found: found) }
        }
    }

    private func readOn(_ part: inout Part, _ gauge: SpeedGauge?) async throws {
        while true {
            do {
                return try await download(&part, gauge)
            } catch let error as FetchError {
                guard part.hasGrown() && error.isTransient else { throw error }
                observer(file, .resuming(url: FetchError.shown(url), from: part.length))
            }
        }
    }

    private func download(_ part: inout Part, _ gauge: SpeedGauge?) async throws {
        let total = Mutex(part.total)
        defer { part.total = total.withLock { $0 } }
        let download = Download(
            url: url,
            file: part.path,
            timeouts: timeouts,
            size: file.size ?? part.total,
            followsRedirects: followsRedirects
        ) { progress in
            if let told = progress.total { total.withLock { $0 = told } }
            gauge?.count(progress.arrived)
        }
        do {
            try await http.download(download)
        } catch var error as FetchError {
            // Only a source's word stands against this one's: the other may be the one that is wrong.
            if file.size == nil && error.code == "asset-size-mismatch" { error.kind = .transient }
            throw error
        }
    }
}
