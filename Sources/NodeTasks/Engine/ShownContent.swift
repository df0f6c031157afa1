// SPDX-License-Identifier: Apache-2.0
internal import NodeOS
internal import SystemPackage

/// A file's contents as a plan may speak of them: by digest and size, and by their text where anyone may read it.
public struct ShownContent: Sendable, Equatable {
    /// 64 hex digits.
    let sha256: String
    /// In bytes.
    let size: Int
    /// The text; `nil` when it may not be shown, is too long, or is none.
    let text: String?

    /// The longest contents shown as text, in bytes.
    static let textLimit = 64 << 10

    init(sha256: String, size: Int, text: String? = nil) {
        self.sha256 = sha256
        self.size = size
        self.text = text
    }

    /// Contents in memory.
    init(_ bytes: [UInt8], mayShow: Bool) {
        self.init(sha256: SHA256Hex.of(bytes), size: bytes.count, text: mayShow ? Self.text(bytes) : nil)
    }

    var shown: Change.Shown { .digest(sha256, bytes: size) }

    /// Bytes as text, unless they are too many or hold what a terminal would not show as it stands.
    private static func text(_ bytes: [UInt8]) -> String? {
        guard bytes.count <= textLimit, bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x0A || $0 == 0x09 })
        else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Whether contents with this mode are no secret to anyone on the machine.
    static func isPublic(_ mode: UInt16) -> Bool { mode & 0o004 != 0 }
}

extension NodeReader {
    /// The contents of a regular file, with its text unless they are those wanted or may not be shown.
    func content(
        of path: FilePath,
        _ status: FileStatus,
        wanted sha256: String,
        mayShow: Bool
    ) async throws
        -> ShownContent
    {
        guard status.size <= ShownContent.textLimit else {
            return ShownContent(sha256: try await self.sha256(of: path), size: Int(status.size))
        }
        let bytes = try await read(path)
        let plain = ShownContent(bytes, mayShow: false)
        guard mayShow, plain.sha256 != sha256, ShownContent.isPublic(status.mode) else { return plain }
        return ShownContent(bytes, mayShow: true)
    }
}

extension Change {
    /// New contents of a file, with the difference where both sides may be shown.
    init(_ field: String, of path: FilePath, from: ShownContent?, to: ShownContent) {
        self.init(field, from: from?.shown, to: to.shown)
        if let new = to.text, let old = from.map({ $0.text }) ?? "" {
            diff = UnifiedDiff.of(old, new, name: path.string, isNew: from == nil)
        }
    }
}
