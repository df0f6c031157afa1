// SPDX-License-Identifier: Apache-2.0

/// The places of a JSON text, valid or not, where a secret may stand: the values of `contents` and `privateKey`.
struct Secrets {
    /// The same text with other letters in these places.
    private(set) var replaced: [UInt8]

    private static let names = [Array("contents".utf8), Array("privateKey".utf8)]

    init(in bytes: [UInt8]) {
        replaced = bytes
        var index = 0
        var isSecret = false
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "\"") else {
                // Only a colon and blanks stand between a name and its value.
                if ![UInt8](": \t\r\n".utf8).contains(bytes[index]) { isSecret = false }
                index += 1
                continue
            }
            guard let end = Self.end(of: bytes, from: index + 1) else { return }
            let isName = Self.isName(bytes, end + 1)
            // What is followed by a colon is a name, whatever stands before it.
            if isSecret, !isName { replace(index + 1..<end) }
            isSecret = isName && Self.names.contains(Array(bytes[index + 1..<end]))
            index = end + 1
        }
    }

    private mutating func replace(_ range: Range<Int>) {
        var index = range.lowerBound
        while index < range.upperBound {
            switch replaced[index] {
            case UInt8(ascii: "\\"): index += replaced[index + 1] == UInt8(ascii: "u") ? 6 : 2
            case UInt8(ascii: "a")...UInt8(ascii: "z"):
                replaced[index] = replaced[index] == UInt8(ascii: "z") ? UInt8(ascii: "a") : replaced[index] + 1
                index += 1
            default: index += 1
            }
        }
    }

    /// The position of a string's closing quote.
    private static func end(of bytes: [UInt8], from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\"") { return index }
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    private static func isName(_ bytes: [UInt8], _ start: Int) -> Bool {
        let next = bytes[min(start, bytes.count)...].first { ![UInt8](" \t\r\n".utf8).contains($0) }
        return next == UInt8(ascii: ":")
    }
}
