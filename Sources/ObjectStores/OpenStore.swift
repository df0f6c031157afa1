// SPDX-License-Identifier: Apache-2.0
public import StateStore

/// Opens the store behind a URL; nothing is read yet.
///
/// - Shape: `file:///dir`; `s3://bucket/prefix?endpoint=…&region=…&style=…&sse=…&kms-key=…&acl=…&requester=yes`;
///   `gs://bucket/prefix?endpoint=…`; `https://host/dir`, read-only.
/// - Throws: ``StoreError/badURL(_:reason:)``.
public func openStore(_ url: String, context: StoreContext = .live) throws -> any StateStore {
    switch url.firstRange(of: "://").map({ url[..<$0.lowerBound] }) ?? "" {
    case "file": return try FileStore(url: url)
    case "s3": return try S3Store(url: url, context: context)
    case "gs": return try GCSStore(url: url, context: context)
    case "https", "http": return try HTTPSStore(url: url, context: context)
    case let scheme:
        throw StoreError.badURL(
            url,
            reason: "has \(scheme.isEmpty ? "no scheme" : "the scheme \(scheme), which is not supported"); write"
                + " file:///dir, s3://bucket/prefix, gs://bucket/prefix or https://host/dir"
        )
    }
}
