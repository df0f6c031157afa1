// SPDX-License-Identifier: Apache-2.0

/// A file known by its digest, and where it may come from.
public struct RemoteFile: Sendable, Equatable {
    /// For messages, such as `kubelet`.
    public var name: String
    /// The SHA-256 of the bytes, 64 hex digits.
    public var sha256: String
    /// URLs (`http`, `https`, `file`) in the order they are tried.
    public var sources: [String]
    /// How many bytes it has, where that is known; a source that has another number is refused.
    public var size: Int64?

    /// Makes a description from its parts.
    public init(name: String, sha256: String, sources: [String], size: Int64? = nil) {
        self.name = name
        self.sha256 = sha256.lowercased()
        self.sources = sources
        self.size = size
    }
}

/// What an ``AssetFetcher`` does, as it does it.
public enum AssetEvent: Sendable, Equatable {
    /// The cache had the file.
    case cached
    /// A source is being read.
    case downloading(url: String)
    /// A source broke off after it had brought bytes; it is asked for the rest, from that byte on.
    case resuming(url: String, from: Int64)
    /// The source that is being read is slow; this one is read beside it.
    case hedging(url: String)
    /// A source failed; the next one, or the same one later, is tried.
    case failed(url: String, code: String)
    /// The file is in the cache and verified.
    case fetched
}
