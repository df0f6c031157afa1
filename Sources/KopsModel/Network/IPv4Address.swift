// SPDX-License-Identifier: Apache-2.0

/// An IPv4 address.
public struct IPv4Address: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The address as a number, most significant byte first.
    public let number: UInt32

    /// Makes an address from its number.
    public init(number: UInt32) { self.number = number }

    /// Reads `a.b.c.d`, each part decimal without leading zeros; `nil` for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt32 = 0
        for part in parts {
            // A leading zero means octal to some readers and decimal to others, so it is refused.
            guard let byte = UInt8(part), part == String(byte) else { return nil }
            number = number << 8 | UInt32(byte)
        }
        self.number = number
    }

    /// `a.b.c.d`.
    public var description: String {
        stride(from: UInt32(24), through: 0, by: -8).map { String(number >> $0 & 0xFF) }.joined(separator: ".")
    }

    /// By number.
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

extension IPv4Address: SpecText {
    static var shape: String { "an IPv4 address such as 10.0.0.1" }
}
