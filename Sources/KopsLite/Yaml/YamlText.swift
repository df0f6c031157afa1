// SPDX-License-Identifier: Apache-2.0
import KopsModel
import Yams

/// Writes values as kops does: names sorted, lists not indented, quotes only where a reader would take text for
/// something else.
enum YamlText {
    /// One document, with a final newline.
    static func document(_ value: JSONValue) throws -> String { try text(of: node(value)) }

    /// Several documents, separated as kops separates them.
    static func documents(_ values: [JSONValue]) throws -> String {
        try values.map(document).joined(separator: "\n---\n\n")
    }

    static func text(of node: Node) throws -> String {
        try Yams.serialize(node: node, width: -1, allowUnicode: true)
    }

    static func node(_ value: JSONValue) -> Node {
        switch value {
        case .null: Node("null", Tag(.null))
        case .bool(let flag): Node(flag ? "true" : "false", Tag(.bool))
        case .int(let number): Node(String(number), Tag(.int))
        case .double(let number): Node("\(number)", Tag(.float))
        case .string(let text): scalar(text)
        case .array(let elements): Node(elements.map(node), Tag(.seq), elements.isEmpty ? .flow : .block)
        case .object(let members):
            Node(
                members.sorted { $0.key < $1.key }.map { (scalar($0.key), node($0.value)) },
                Tag(.map),
                members.isEmpty ? .flow : .block
            )
        }
    }

    /// Text, quoted when some reader of YAML would not take it for text.
    static func scalar(_ text: String) -> Node {
        if text.contains("\n") { return Node(text, Tag(.str), .literal) }
        let isOther = Node(text).tag != Tag(.str) || ["y", "Y", "n", "N"].contains(text)
        return Node(text, Tag(.str), isOther ? .doubleQuoted : .any)
    }
}
