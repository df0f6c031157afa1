// SPDX-License-Identifier: Apache-2.0

/// One line of a plan: `+ mode  0644`, `~ mode  0600 -> 0644` or `- mode  0600`.
public struct Change: Sendable, Equatable, CustomStringConvertible {
    /// A value as a plan may show it.
    public enum Shown: Sendable, Equatable, CustomStringConvertible {
        case text(String)
        /// Contents, by digest and size in bytes.
        case digest(String, bytes: Int)
        case secret

        /// The value as it is printed; a digest by its first 12 digits.
        public var description: String {
            switch self {
            case .text(let text): text
            case .digest(let hex, let bytes): "sha256:\(hex.prefix(12)) \(bytes) B"
            case .secret: "<secret>"
            }
        }

        /// The value with its digest whole.
        var full: String {
            if case .digest(let hex, let bytes) = self { "sha256:\(hex) \(bytes) B" } else { description }
        }
    }

    /// What changes, such as `mode`.
    public let field: String
    /// The value now; `nil` when there is none.
    public let from: Shown?
    /// The value afterwards; `nil` when there is none.
    public let to: Shown?
    /// The difference of two texts as `diff -u` writes it; `nil` where there are none that may be shown.
    public var diff: String?

    /// Makes a change from its parts.
    public init(_ field: String, from: Shown? = nil, to: Shown? = nil) {
        self.field = field
        self.from = from
        self.to = to
    }

    /// The change as one line, without the task's name.
    public var description: String {
        let sign = from == nil ? "+" : to == nil ? "-" : "~"
        return "\(sign) \(field)  " + [from, to].compactMap { $0?.description }.joined(separator: " -> ")
    }

    /// The change as a plan prints it: its line, and its difference below.
    var lines: [String] {
        guard let diff else { return [description] }
        return [description] + diff.split(separator: "\n").map { "    \($0)" }
    }
}
