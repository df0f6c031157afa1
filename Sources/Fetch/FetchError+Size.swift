// SPDX-License-Identifier: Apache-2.0
import SystemPackage

extension FetchError {
    /// The error for a source whose file is not of the wanted size; `nil` when it just goes on and on.
    static func size(of download: Download, is found: Int64?) -> FetchError {
        let wanted = download.size.map { "\($0)" } ?? "another number of"
        return FetchError(
            .permanent,
            code: "asset-size-mismatch",
            "GET \(shown(download.url)): wanted \(wanted) bytes, the source has \(found.map { "\($0)" } ?? "more")",
            hint: "correct the size, or the mirror, which has another file under that name"
        )
    }

    /// The error for a file system that is too small for what is to come.
    static func space(for path: FilePath, needed: Int64, available: Int64) -> FetchError {
        FetchError(
            .permanent,
            code: "disk-full",
            "write \(path): \(needed) bytes are needed and \(available) are free",
            hint: "free space on that file system (df -h)"
        )
    }
}
