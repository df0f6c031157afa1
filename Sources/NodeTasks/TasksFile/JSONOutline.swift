// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials

/// The brackets and names of a JSON text, checked before it is decoded.
///
/// The decoder keeps one of two members with the same name and says nothing, and it follows nesting wherever it leads.
/// Everything else is the decoder's to judge.
enum JSONOutline {
    /// Refuses too deep nesting and objects that name a member twice.
    static func check(_ bytes: [UInt8], depthLimit: Int) throws {
        // For each open bracket the names seen so far; `nil` for a list.
        var open: [Set<String>?] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open.append(byte == UInt8(ascii: "{") ? [] : nil)
                guard open.count <= depthLimit else {
                    throw InvalidValue(path: [], reason: "is nested deeper than \(depthLimit) levels")
                }
                index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                open.removeLast(open.isEmpty ? 0 : 1)
                index += 1
            case UInt8(ascii: "\""):
                let end = endOfString(bytes, from: index)
                if isName(bytes, after: end), let level = open.indices.last, open[level] != nil {
                    try note(bytes[index..<end], in: &open[level])
                }
                index = end
            default:
                index += 1
            }
        }
    }

    /// The position after a string's closing quote, or the end.
    private static func endOfString(_ bytes: [UInt8], from start: Int) -> Int {
        var index = start + 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        return bytes.count
    }

    private static func isName(_ bytes: [UInt8], after end: Int) -> Bool {
        var index = end
        while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
        return index < bytes.count && bytes[index] == UInt8(ascii: ":")
    }

    private static func note(_ quoted: ArraySlice<UInt8>, in names: inout Set<String>?) throws {
        guard let name = name(quoted) else { return }
        guard names?.insert(name).inserted == false else { return }
        throw InvalidValue(path: [], reason: "names the member \"\(name.prefix(80))\" twice in one object")
    }

    /// A name can be written in several ways with escapes, so those are decoded; what does not decode fails later.
    private static func name(_ quoted: ArraySlice<UInt8>) -> String? {
        guard quoted.contains(UInt8(ascii: "\\")) else {
            return String(decoding: quoted.dropFirst().dropLast(), as: UTF8.self)
        }
        return try? JSONDecoder().decode(String.self, from: Data(quoted))
    }
}
