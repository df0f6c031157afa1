// SPDX-License-Identifier: Apache-2.0

/// A program's flags, rendered as `--name=value` in the order of their names, so that equal flags give equal bytes.
struct FlagList: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    private var values: [String: String]

    init(dictionaryLiteral elements: (String, String)...) {
        values = Dictionary(elements, uniquingKeysWith: { _, last in last })
    }

    /// A flag's value; `nil` leaves it to the program's default.
    subscript(_ name: String) -> String? {
        get { values[name] }
        set { values[name] = newValue }
    }

    /// The flags with others in place of those of the same name.
    func overridden(by others: [String: String]?) -> FlagList {
        var copy = self
        for (name, value) in others ?? [:] { copy[name] = value }
        return copy
    }

    /// One argument each.
    var arguments: [String] { values.sorted { $0.key < $1.key }.map { "--\($0.key)=\($0.value)" } }
}
