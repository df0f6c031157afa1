// SPDX-License-Identifier: Apache-2.0
import StateStore

/// The bucket and prefix that a store's URL names.
struct BucketLocation: Equatable {
    let scheme: String
    let bucket: String
    /// Without slashes around it; empty for the whole bucket.
    let prefix: String

    /// Reads `s3://bucket/prefix?…` and the like; `nil` for a store that is no bucket.
    init?(url: String) {
        guard let scheme = url.firstRange(of: "://") else { return nil }
        let rest = url[scheme.upperBound...].prefix { $0 != "?" }
        let parts = rest.split(separator: "/").map(String.init)
        guard ["s3", "gs"].contains(url[..<scheme.lowerBound]), let bucket = parts.first else { return nil }
        self.scheme = String(url[..<scheme.lowerBound])
        self.bucket = bucket
        prefix = parts.dropFirst().joined(separator: "/")
    }

    /// Where its cloud serves the objects that everybody may read.
    var publicURL: String {
        let base = scheme == "s3" ? "https://\(bucket).s3.amazonaws.com" : "https://storage.googleapis.com/\(bucket)"
        return prefix.isEmpty ? base : "\(base)/\(prefix)"
    }

    /// A rule's pattern as a path in the bucket, with the policy languages' own `*`.
    func path(_ rule: StoreAccess.Rule) -> String {
        let parts = rule.pattern.map { $0 == "**" ? "*" : $0 }
        return ((prefix.isEmpty ? [] : [prefix]) + parts).joined(separator: "/")
    }
}
