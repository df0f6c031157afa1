// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// The beginning of a file, which nobody believes before the whole has its digest.
struct Part: Sendable {
    private(set) var path: FilePath
    /// The length of the whole as the source said that began it.
    var total: Int64?
    /// Whether bytes of different sources, or of an earlier run, are in it.
    private(set) var isMixed = false
    /// Whether sources contradicted each other: then none continues what another one began.
    private(set) var isDistrusted = false
    private var source: String?
    /// The most it ever had; only a wrong digest takes it back, so whatever counts growth comes to an end.
    private(set) var record: Int64 = 0

    /// Takes up what an earlier run left.
    init(_ path: FilePath) {
        self.path = path
        record = length
    }

    var length: Int64 { LocalFile.length(of: path) }

    /// Whether a source may go on where this ends.
    func mayBeContinued(by url: String) -> Bool { !isDistrusted || source == url || length == 0 }

    /// Notes whose bytes come next.
    mutating func begin(from url: String) {
        // Who brought nothing has no say.
        if length == 0 { total = nil }
        isMixed = length > 0 && (isMixed || source != url)
        source = url
    }

    /// Whether it is longer than ever before.
    mutating func hasGrown() -> Bool {
        let length = length
        defer { record = max(record, length) }
        return length > record
    }

    /// Throws the bytes away; from then on sources are kept apart when they cannot all be right.
    mutating func startOver(isDisputed: Bool) throws(FetchError) {
        try LocalFile.remove(path)
        isDistrusted = isDistrusted || isDisputed
        isMixed = false
        total = nil
        record = 0
    }

    /// Nothing yet, in another place.
    func fresh(at path: FilePath) throws(FetchError) -> Part {
        var part = self
        part.path = path
        try part.startOver(isDisputed: false)
        return part
    }

    /// A copy of what is here now, to be continued by another source.
    func copied(to path: FilePath) async throws -> Part {
        try LocalFile.remove(path)
        if length > 0 { try await LocalFile.copy(self.path, for: Download(url: "file://\(self.path)", file: path)) }
        var copy = self
        copy.path = path
        copy.source = nil
        copy.record = copy.length
        return copy
    }

    /// Takes over another part when it is longer, and removes it otherwise.
    mutating func merge(_ other: Part) throws(FetchError) {
        let isDistrusted = isDistrusted || other.isDistrusted
        if other.length > length {
            let path = path
            try LocalFile.rename(other.path, to: path)
            self = other
            self.path = path
        } else {
            try LocalFile.remove(other.path)
        }
        self.isDistrusted = isDistrusted
    }
}
