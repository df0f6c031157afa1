// SPDX-License-Identifier: Apache-2.0

/// A value of a specification: read with a complaint for everything that is wrong, written the same way each time.
protocol SpecValue: Sendable, Equatable {
    /// What a person must write here, such as `text`, for the complaint.
    static var shape: String { get }
    /// The value; `nil` after at least one problem was added.
    static func decoded(from value: JSONValue, at path: SpecPath, into problems: inout [SpecProblem]) -> Self?
    /// The value as it stands in a document.
    var encoded: JSONValue { get }
}

/// A value that stands in a document as text, such as a version.
protocol SpecText: SpecValue, CustomStringConvertible {
    /// Reads the text; `nil` when it is not of the shape.
    init?(_ text: String)
}

extension SpecText {
    static func decoded(from value: JSONValue, at path: SpecPath, into problems: inout [SpecProblem]) -> Self? {
        guard let text = String.decoded(from: value, at: path, into: &problems) else { return nil }
        guard let result = Self(text) else {
            problems.append(SpecProblem(path, "\"\(text)\" is not \(shape)"))
            return nil
        }
        return result
    }

    var encoded: JSONValue { .string(description) }
}

extension String: SpecValue {
    static var shape: String { "text" }

    static func decoded(from value: JSONValue, at path: SpecPath, into problems: inout [SpecProblem]) -> Self? {
        switch value {
        case .string(let text): return text
        case .int, .double, .bool:
            problems.append(SpecProblem(path, "must be text, found \(value.shape)", remedy: "put it in quotes"))
        default: problems.append(SpecProblem(path, "must be text, found \(value.shape)"))
        }
        return nil
    }

    var encoded: JSONValue { .string(self) }
}

extension Int: SpecValue {
    static var shape: String { "a whole number" }

    static func decoded(from value: JSONValue, at path: SpecPath, into problems: inout [SpecProblem]) -> Self? {
        guard case .int(let number) = value else {
            problems.append(SpecProblem(path, "must be a whole number, found \(value.shape)"))
            return nil
        }
        return number
    }

    var encoded: JSONValue { .int(self) }
}

extension Bool: SpecValue {
    static var shape: String { "true or false" }

    static func decoded(from value: JSONValue, at path: SpecPath, into problems: inout [SpecProblem]) -> Self? {
        guard case .bool(let flag) = value else {
            problems.append(SpecProblem(path, "must be true or false, found \(value.shape)"))
            return nil
        }
        return flag
    }

    var encoded: JSONValue { .bool(self) }
}

extension Array: SpecValue where Element: SpecValue {
    static var shape: String { "a list" }

    static func decoded(from value: JSONValue, at path: SpecPath, into problems: inout [SpecProblem]) -> Self? {
        guard case .array(let elements) = value else {
            problems.append(SpecProblem(path, "must be a list, found \(value.shape)"))
            return nil
        }
        let before = problems.count
        let result = elements.enumerated().compactMap { number, element in
            Element.decoded(from: element, at: path.index(number), into: &problems)
        }
        return problems.count == before ? result : nil
    }

    var encoded: JSONValue { .array(map(\.encoded)) }
}

extension Dictionary: SpecValue where Key == String, Value: SpecValue {
    static var shape: String { "a map" }

    static func decoded(from value: JSONValue, at path: SpecPath, into problems: inout [SpecProblem]) -> Self? {
        guard case .object(let members) = value else {
            problems.append(SpecProblem(path, "must be a map, found \(value.shape)"))
            return nil
        }
        let before = problems.count
        var result: Self = [:]
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
            result[name] = Value.decoded(from: member, at: path.key(name), into: &problems)
        }
        return problems.count == before ? result : nil
    }

    var encoded: JSONValue { .object(mapValues(\.encoded)) }
}

extension JSONValue {
    /// What this is, for a complaint; never the value itself, which may be long.
    var shape: String {
        switch self {
        case .null: "nothing"
        case .bool(let value): value ? "true" : "false"
        case .int(let value): "the number \(value)"
        case .double(let value): "the number \(value)"
        case .string(let value): value.count > 40 ? "a long text" : "the text \"\(value)\""
        case .array: "a list"
        case .object: "a map"
        }
    }
}
