// SPDX-License-Identifier: Apache-2.0

/// The sources of one file that may still have it, and what the others said.
struct SourceRotation {
    private let file: RemoteFile
    private(set) var sources: [String]
    private var errors: [String: FetchError] = [:]
    private var disputants: Set<String> = []

    init(file: RemoteFile) {
        self.file = file
        sources = file.sources
    }

    /// Takes a source out when its failure is permanent.
    mutating func note(_ error: FetchError, of url: String) {
        errors[url] = error
        if ["asset-size-mismatch", "answer-cut-short"].contains(error.code) { disputants.insert(url) }
        if !error.isTransient { sources.removeAll { $0 == url } }
    }

    /// The source whose turn is after another one's; `nil` when there is none but that one.
    func next(after url: String) -> String? {
        guard let index = sources.firstIndex(of: url) else { return sources.first }
        let next = sources[(index + 1) % sources.count]
        return next == url ? nil : next
    }

    /// Whether a source that is left had a file of another length than the part's.
    var disputesLength: Bool { !disputants.isDisjoint(with: sources) }

    /// How long all sources that are left ask to be left alone.
    var askedDelay: Duration { sources.map { errors[$0]?.retryAfter ?? .zero }.min() ?? .zero }

    static func mismatch(_ file: RemoteFile, url: String, found: String) -> FetchError {
        FetchError(
            .permanent,
            code: "asset-digest-mismatch",
            "\(file.name) from \(FetchError.shown(url)): wanted sha256 \(file.sha256), found \(found)",
            hint: "correct the digest, or the mirror, which has another file under that name"
        )
    }

    /// What all failures together mean.
    var verdict: FetchError {
        let all = file.sources.compactMap { errors[$0] }
        guard !file.sources.isEmpty else {
            return FetchError(
                .permanent,
                code: "asset-not-found",
                "\(file.name) has no source",
                hint: "name a file repository that has it"
            )
        }
        let reasons = all.map(\.message).joined(separator: "; ")
        guard sources.isEmpty else {
            return FetchError(
                .transient,
                code: "asset-unreachable",
                "\(file.name) could not be fetched: \(reasons)",
                hint: all.compactMap(\.hint).first
            )
        }
        let codes = Set(all.map(\.code))
        if codes.count == 1, let only = all.first, !Self.meansMissing(only.code) {
            return FetchError(.permanent, code: only.code, reasons, hint: only.hint)
        }
        // A wrong file is the more telling failure: a missing one is at least honest.
        let mismatch = all.first { $0.code == "asset-digest-mismatch" }
        let code = mismatch?.code ?? (codes.allSatisfy(Self.meansMissing) ? "asset-not-found" : "asset-refused")
        return FetchError(
            .permanent,
            code: code,
            "no source has \(file.name): \(reasons)",
            hint: mismatch?.hint ?? "check the version and the file repository"
        )
    }

    private static func meansMissing(_ code: String) -> Bool {
        ["http-404", "http-410", "file-missing"].contains(code)
    }
}
