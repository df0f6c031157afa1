// SPDX-License-Identifier: Apache-2.0
internal import SystemPackage

/// Why a value of a tasks file is refused, and where it stands.
struct InvalidValue: Error {
    let path: [any CodingKey]
    let reason: String
}

/// A name in a tasks file.
struct FieldName: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ name: String) {
        stringValue = name
        intValue = nil
    }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) {
        stringValue = "\(intValue)"
        self.intValue = intValue
    }
}

/// The members of one object of a tasks file, each checked as it is read.
struct Fields {
    let container: KeyedDecodingContainer<FieldName>

    /// Opens an object in which only these names, and `ensure`, may stand.
    init(_ decoder: any Decoder, _ allowed: String...) throws {
        container = try decoder.container(keyedBy: FieldName.self)
        for key in container.allKeys.sorted(by: { $0.stringValue < $1.stringValue })
        where key.stringValue != "ensure" && !allowed.contains(key.stringValue) {
            throw InvalidValue(
                path: container.codingPath + [key],
                reason: "unknown key; known are \((allowed + ["ensure"]).sorted().joined(separator: ", "))"
            )
        }
    }

    func refuse(_ name: String, _ reason: String) -> InvalidValue {
        InvalidValue(path: container.codingPath + [FieldName(name)], reason: reason)
    }

    func has(_ name: String) -> Bool { container.contains(FieldName(name)) }

    /// A member of any decodable type; `nil` when it is missing.
    ///
    /// `null` is refused, since it may mean two things.
    func optional<Value: Decodable>(_ name: String, _ type: Value.Type = Value.self) throws -> Value? {
        guard has(name) else { return nil }
        return try container.decode(Value.self, forKey: FieldName(name))
    }

    func value<Value: Decodable>(_ name: String, _ type: Value.Type = Value.self) throws -> Value {
        guard let value = try optional(name, Value.self) else { throw refuse(name, "missing") }
        return value
    }

    func ensure() throws -> Ensure {
        guard let text = try optional("ensure", String.self) else { return .present }
        guard let ensure = Ensure(rawValue: text) else { throw refuse("ensure", "is neither present nor absent") }
        return ensure
    }

    /// A text of at least one character that holds no control character.
    func word(_ name: String) throws -> String { try checkedWord(name, value(name)) }

    func optionalWord(_ name: String) throws -> String? { try optional(name).map { try checkedWord(name, $0) } }

    func words(_ name: String) throws -> [String] {
        try (optional(name, [String].self) ?? []).map { try checkedWord(name, $0) }
    }

    /// An absolute path without `.`, `..` or NUL.
    func path(_ name: String) throws -> FilePath {
        let text = try value(name, String.self)
        guard let path = Self.absolute(text) else {
            throw refuse(
                name,
                "\(shown(text)) is no absolute path without \".\", \"..\", \"//\" and control characters"
            )
        }
        return path
    }

    /// Permission bits as octal digits, such as `0644`.
    func mode(_ name: String, default usual: UInt16) throws -> UInt16 {
        guard let text = try optional(name, String.self) else { return usual }
        guard (3...5).contains(text.utf8.count), let mode = UInt16(text, radix: 8), mode <= 0o7777, !text.hasPrefix("+")
        else { throw refuse(name, "\(shown(text)) is no octal mode between 000 and 7777") }
        return mode
    }

    /// The number of an account.
    func accountNumber(_ name: String) throws -> UInt32? {
        // As a double, since of a number too large for an integer the decoder does not say where it stands.
        guard let value = try optional(name, Double.self) else { return nil }
        // The largest one means "leave it" to chown(2).
        guard let number = UInt32(exactly: value), number < .max else {
            throw refuse(name, "is not a whole number between 0 and 4294967294")
        }
        return number
    }

    func digest(_ name: String) throws -> String {
        let text = try value(name, String.self)
        guard SHA256Hex.isDigest(text) else { throw refuse(name, "is no SHA-256 of 64 lower-case hex digits") }
        return text
    }

    /// A name of an account, a unit, a package or the like: the given characters, letters and digits.
    func name(_ key: String, allowing extra: String = "._-") throws -> String {
        let text = try value(key, String.self)
        guard Self.isName(text, allowing: extra) else {
            throw refuse(key, "\(shown(text)) may hold letters, digits and \(extra) and must not start with - or .")
        }
        return text
    }

    func accountName(_ key: String) throws -> String? {
        guard has(key) else { return nil }
        return try name(key)
    }

    static func isName(_ text: String, allowing extra: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "."),
            text.utf8.count <= 255
        else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                || extra.unicodeScalars.contains(scalar)
        }
    }

    /// The path a text names; `nil` when it is relative, not normal, or holds control characters.
    static func absolute(_ text: String) -> FilePath? {
        guard text.hasPrefix("/"), text.utf8.count < 4096, !hasControl(text) else { return nil }
        let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        let clean = text == "/" || parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count < 256 }
        return clean ? FilePath(text) : nil
    }

    static func hasControl(_ text: String) -> Bool { text.utf8.contains { $0 < 0x20 || $0 == 0x7F } }

    private func checkedWord(_ name: String, _ text: String) throws -> String {
        guard !text.isEmpty, !Self.hasControl(text) else {
            throw refuse(name, "is empty or holds control characters")
        }
        return text
    }

    private func shown(_ text: String) -> String {
        let safe = text.unicodeScalars.prefix(60).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : String($0) }
        return "\"\(safe.joined())\""
    }
}
