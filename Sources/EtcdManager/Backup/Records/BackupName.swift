// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

/// What a backup is called: when it was taken, to the second in UTC, and up to which revision it reaches.
///
/// - Shape: `20261125T221500Z-000123`, so that names sort by time.
public struct BackupName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The name as text.
    public let description: String
    /// The newest revision of the data in it.
    public let revision: Int64

    /// Names a backup.
    public init(taken: Date, revision: Int64) {
        let digits = String(revision)
        self.revision = revision
        let readable: String = taken.formatted(.iso8601)
        let time = readable.filter { $0.isNumber || $0.isLetter }
        let zeros = String(repeating: "0", count: max(0, 6 - digits.count))
        description = "\(time)-\(zeros)\(digits)"
    }

    /// Reads a name; `nil` for a text that is none.
    public init?(_ text: String) {
        let characters = Array(text)
        guard characters.count >= 23, characters[16] == "-", let revision = Int64(text.dropFirst(17)),
            let taken = Self.date(characters[..<16]), BackupName(taken: taken, revision: revision).description == text
        else { return nil }
        self.revision = revision
        description = text
    }

    /// When the backup was taken.
    public var taken: Date { Self.date(Array(description)[..<16]) ?? .distantPast }

    /// The hour in which it was taken, such as `20261125T22`; in UTC.
    var hour: Substring { description.prefix(11) }
    /// The day, such as `20261125`.
    var day: Substring { description.prefix(8) }
    /// The month, such as `202611`.
    var month: Substring { description.prefix(6) }

    /// Earlier first, then the lower revision.
    public static func < (left: Self, right: Self) -> Bool {
        let (one, other) = (left.description.prefix(16), right.description.prefix(16))
        return one == other ? left.revision < right.revision : one < other
    }

    private static func date(_ characters: ArraySlice<Character>) -> Date? {
        let text = String(characters)
        func part(_ from: Int, _ count: Int) -> Substring { text.dropFirst(from).prefix(count) }
        return try? Date(
            "\(part(0, 4))-\(part(4, 2))-\(part(6, 5)):\(part(11, 2)):\(part(13, 3))",
            strategy: .iso8601
        )
    }
}

extension BackupName: Codable {
    /// Reads a name's text.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let name = BackupName(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is no backup's name")
        }
        self = name
    }

    /// Writes the name's text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
