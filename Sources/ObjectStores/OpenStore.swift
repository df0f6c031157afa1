// SPDX-License-Identifier: Apache-2.0
public import StateStore

/// Opens the store behind a URL; nothing is read yet.
///
/// - Shape: `file:///dir`, `s3://bucket/prefix?endpoint=…&region=…`.
/// - Throws: ``StoreError/badURL(_:reason:)``.
public func openStore(_ url: String, context: StoreContext = .live) throws -> any StateStore {
    guard let scheme = url.firstRange(of: "://").map({ url[..<$0.lowerBound] }) else {
        throw StoreError.badURL(url, reason: "has no scheme; write file:///absolute/directory or s3://bucket/prefix")
    }
    switch scheme {
    case "file": return try FileStore(url: url)
    case "s3": return try S3Store(url: url, context: context)
    default:
        throw StoreError.badURL(
            url,
            reason: "has a scheme that is not supported; write file:///absolute/directory or s3://bucket/prefix"
        )
    }
}
