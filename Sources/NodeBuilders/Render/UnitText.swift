// SPDX-License-Identifier: Apache-2.0

/// A unit file (systemd.unit(5)) as its lines.
enum UnitText {
    /// Sections in their order, each with its lines in theirs, with a final newline.
    static func render(_ sections: [(name: String, lines: [String])]) -> String {
        sections.map { "[\($0.name)]\n" + $0.lines.map { $0 + "\n" }.joined() }.joined(separator: "\n")
    }

    /// A command with one argument a line.
    static func command(_ program: String, _ arguments: [String]) -> String {
        ([program] + arguments.map(quoted)).joined(separator: " \\\n    ")
    }

    /// A path in a list of paths, taken literally, that need not be there (systemd.exec(5), `ReadWritePaths=`).
    ///
    /// No variable is expanded there, and no escape but `\` before a character is known; so a line break cannot be
    /// written, and `nil` says so.
    static func optionalPath(_ path: String) -> String? {
        guard !path.contains(where: \.isNewline) else { return nil }
        let escaped = path.reduce(into: "") { text, character in
            if character == "\\" || character == "\"" { text.append("\\") }
            text.append(character)
            if character == "%" { text.append("%") }
        }
        return "\"-\(escaped)\""
    }

    /// An argument that systemd takes literally: no specifier, no variable, no word splitting (systemd.service(5),
    /// "Command lines").
    static func quoted(_ argument: String) -> String {
        var text = ""
        for character in argument {
            switch character {
            case "%": text += "%%"
            case "$": text += "$$"
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
        let isPlain =
            !text.isEmpty && !text.contains { $0 == " " || $0 == "\t" || $0 == "\\" || $0 == "'" || $0 == ";" }
        return isPlain ? text : "\"\(text)\""
    }
}
