// SPDX-License-Identifier: Apache-2.0

/// The files that a sealed cluster may fetch, each with the sources it may come from.
public struct AllowedAssets: Sendable, Equatable {
    /// URLs by digest.
    private var sources: [String: Set<String>] = [:]

    /// Allows just these files from just their sources.
    public init(_ files: [RemoteFile]) {
        for file in files { sources[file.sha256, default: []].formUnion(file.sources) }
    }

    /// Refuses a file that is not locked, or of which any source is not.
    func check(_ file: RemoteFile) throws(FetchError) {
        let stranger: String
        if let locked = sources[file.sha256] {
            guard let source = file.sources.first(where: { !locked.contains($0) }) else { return }
            stranger = " from \(FetchError.shown(source))"
        } else {
            stranger = ""
        }
        throw FetchError(
            .permanent,
            code: "asset-not-locked",
            "\(file.name): the lock file does not allow sha256 \(file.sha256)\(stranger)",
            hint: "add it to the lock file, or take the source out"
        )
    }
}
