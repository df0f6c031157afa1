// SPDX-License-Identifier: Apache-2.0

/// An element of the XML that S3 and STS answer with.
///
/// Written here because the only parser in reach is Foundation's, which machines do not link. It takes what these services
/// send, elements and text, and refuses everything else that XML can be: document types, other entities than the five of the
/// standard and numbered ones, deep nesting.
struct XMLElement: Equatable {
    var name: String
    var text: String
    var children: [XMLElement]

    /// The text of the first child of a name.
    subscript(name: String) -> String? { children.first { $0.name == name }?.text }

    /// Every child of a name.
    func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// The first element of a name, at any depth.
    func first(_ name: String) -> XMLElement? {
        if self.name == name { return self }
        return children.lazy.compactMap { $0.first(name) }.first
    }

    /// Reads a document; `nil` when it is not what is taken here.
    init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.sizeLimit, let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var reader = Reader(rest: text.utf8[...])
        guard let element = reader.document() else { return nil }
        self = element
    }

    private init(name: String, text: String, children: [XMLElement]) {
        self.name = name
        self.text = text
        self.children = children
    }

    private static let sizeLimit = 16 << 20
    private static let depthLimit = 16

    private struct Reader {
        var rest: Substring.UTF8View

        mutating func document() -> XMLElement? {
            skipBlanks()
            if starts("<?xml") {
                guard skip(past: "?>") else { return nil }
                skipBlanks()
            }
            guard let element = element(depth: 0) else { return nil }
            skipBlanks()
            return rest.isEmpty ? element : nil
        }

        private mutating func element(depth: Int) -> XMLElement? {
            guard depth < XMLElement.depthLimit, take("<"), let name = self.name() else { return nil }
            guard let isEmpty = endOfTag() else { return nil }
            var element = XMLElement(name: name, text: "", children: [])
            if isEmpty { return element }
            while !starts("</") {
                if starts("<") {
                    guard let child = self.element(depth: depth + 1) else { return nil }
                    element.children.append(child)
                } else {
                    guard let text = characters() else { return nil }
                    element.text += text
                }
            }
            guard take("</"), self.name() == name else { return nil }
            skipBlanks()
            return take(">") ? element : nil
        }

        /// Skips attributes, such as a namespace; whether the element has no content, `nil` when the tag never ends.
        private mutating func endOfTag() -> Bool? {
            while let byte = rest.first {
                switch byte {
                case UInt8(ascii: ">"):
                    rest.removeFirst()
                    return false
                case UInt8(ascii: "/"):
                    rest.removeFirst()
                    return take(">") ? true : nil
                case UInt8(ascii: "\""), UInt8(ascii: "'"):
                    rest.removeFirst()
                    guard let end = rest.firstIndex(of: byte) else { return nil }
                    rest = rest[rest.index(after: end)...]
                case UInt8(ascii: "<"): return nil
                default: rest.removeFirst()
                }
            }
            return nil
        }

        private mutating func characters() -> String? {
            guard let end = rest.firstIndex(of: UInt8(ascii: "<")) else { return nil }
            let raw = Substring(rest[..<end])
            rest = rest[end...]
            guard raw.utf8.contains(UInt8(ascii: "&")) else { return String(raw) }
            var text = ""
            var left = raw
            while let ampersand = left.firstIndex(of: "&") {
                text += left[..<ampersand]
                guard let end = left[ampersand...].firstIndex(of: ";"),
                    let character = Self.entity(left[left.index(after: ampersand)..<end])
                else { return nil }
                text.unicodeScalars.append(character)
                left = left[left.index(after: end)...]
            }
            return text + left
        }

        private static func entity(_ name: Substring) -> Unicode.Scalar? {
            switch name {
            case "amp": "&"
            case "lt": "<"
            case "gt": ">"
            case "quot": "\""
            case "apos": "'"
            default: number(name)
            }
        }

        private static func number(_ name: Substring) -> Unicode.Scalar? {
            guard name.hasPrefix("#") else { return nil }
            let digits = name.dropFirst()
            let value =
                digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
            return value.flatMap(Unicode.Scalar.init)
        }

        private mutating func name() -> String? {
            let end = rest.firstIndex { !Self.isName($0) } ?? rest.endIndex
            guard end > rest.startIndex else { return nil }
            defer { rest = rest[end...] }
            return String(Substring(rest[..<end]))
        }

        private static func isName(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: ":"):
                true
            default: byte >= 0x80
            }
        }

        private mutating func skipBlanks() {
            while let byte = rest.first, byte == 0x20 || (0x09...0x0D).contains(byte) { rest.removeFirst() }
        }

        private func starts(_ text: StaticString) -> Bool {
            text.withUTF8Buffer { rest.starts(with: $0) }
        }

        private mutating func take(_ text: StaticString) -> Bool {
            guard starts(text) else { return false }
            rest = rest.dropFirst(text.utf8CodeUnitCount)
            return true
        }

        private mutating func skip(past text: StaticString) -> Bool {
            while !rest.isEmpty {
                if take(text) { return true }
                rest.removeFirst()
            }
            return false
        }
    }
}
