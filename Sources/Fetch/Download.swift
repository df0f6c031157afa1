// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// A resource that is to be written to a file.
public struct Download: Sendable {
    /// Where it is: an absolute URL (`http`, `https`, `file`).
    public var url: String
    /// Where it goes; what is there already is taken for its beginning.
    public var file: FilePath
    /// Limits.
    public var timeouts: Timeouts
    /// The length of the whole in bytes, where it is known; a source that has another one is refused.
    public var size: Int64?
    /// Whether a server may lead to another address; otherwise that is a permanent `redirect-refused`.
    public var followsRedirects: Bool
    /// Hears of bytes as they arrive, and about once a second while none do; called from any thread, must not block.
    public var progress: @Sendable (DownloadProgress) -> Void

    /// Makes a description from its parts.
    public init(
        url: String,
        file: FilePath,
        timeouts: Timeouts = Timeouts(),
        size: Int64? = nil,
        followsRedirects: Bool = true,
        progress: @escaping @Sendable (DownloadProgress) -> Void = { _ in }
    ) {
        self.url = url
        self.file = file
        self.timeouts = timeouts
        self.size = size
        self.followsRedirects = followsRedirects
        self.progress = progress
    }
}

/// How far a download is.
public struct DownloadProgress: Sendable, Equatable {
    /// Bytes that arrived since the last call.
    public var arrived: Int
    /// The length of the whole, as soon as the source has told it.
    public var total: Int64?

    /// Makes a report from its parts.
    public init(arrived: Int, total: Int64? = nil) {
        self.arrived = arrived
        self.total = total
    }
}
