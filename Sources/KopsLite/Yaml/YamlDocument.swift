// SPDX-License-Identifier: Apache-2.0
import KopsModel
import Yams

/// One document of a file, as a value and with the lines it stands on.
struct YamlDocument {
    /// What it says.
    let value: JSONValue
    private let node: Node

    /// Reads every document of a text; empty ones are left out.
    ///
    /// - Parameters:
    ///   - text: YAML 1.1, of which JSON is a part.
    ///   - file: What to call the text in messages.
    /// - Returns: The documents in their order.
    /// - Throws: ``CommandFailure`` with file, line and, for a name given twice, its path.
    static func all(in text: String, file: String) throws -> [YamlDocument] {
        do {
            return try nodes(in: text).compactMap { node in
                var reader = NodeReading()
                let value = try reader.value(node)
                return value == .null ? nil : YamlDocument(value: value, node: node)
            }
        } catch let error as YamlError {
            throw YamlComplaint(file: file, text: text).failure(for: error)
        } catch let error as NodeReading.Refusal {
            throw CommandFailure("\(file):\(error.line): \(error.reason)")
        }
    }

    static func nodes(in text: String) throws -> [Node] {
        let parser = try Parser(yaml: text)
        var nodes: [Node] = []
        while let node = try parser.nextRoot() { nodes.append(node) }
        return nodes
    }

    /// The line where a path stands, or where its nearest part does; counts from 1.
    func line(of path: SpecPath) -> Int {
        var here = node
        var line = node.mark?.line ?? 1
        for part in path.parts {
            switch (part, here) {
            case (.key(let name), .mapping(let mapping)):
                guard let pair = mapping.first(where: { $0.key.scalar?.string == name }) else { return line }
                line = pair.key.mark?.line ?? line
                here = pair.value
            case (.index(let number), .sequence(let sequence)):
                guard sequence.indices.contains(number) else { return line }
                here = sequence[number]
                line = here.mark?.line ?? line
            default: return line
            }
        }
        return line
    }
}

/// Turns nodes into values, with a bound on their number so that aliases of aliases cannot fill the memory.
struct NodeReading {
    struct Refusal: Error {
        let line: Int
        let reason: String
    }

    private var rest = 50_000

    mutating func value(_ node: Node, depth: Int = 0) throws -> JSONValue {
        rest -= 1
        let line = node.mark?.line ?? 1
        guard rest > 0, depth < 100 else { throw Refusal(line: line, reason: "the document is too large or too deep") }
        switch node {
        case .scalar(let scalar): return Self.value(scalar, tag: node.tag)
        case .sequence(let sequence): return .array(try sequence.map { try value($0, depth: depth + 1) })
        case .mapping(let mapping):
            var members: [String: JSONValue] = [:]
            for (key, member) in mapping {
                guard let name = key.scalar?.string else {
                    throw Refusal(line: key.mark?.line ?? line, reason: "a name must be text, not a list or a map")
                }
                guard members[name] == nil else {
                    throw Refusal(line: key.mark?.line ?? line, reason: "\"\(name)\" is given twice; keep one")
                }
                members[name] = try value(member, depth: depth + 1)
            }
            return .object(members)
        case .alias: throw Refusal(line: line, reason: "an alias stands for nothing")
        }
    }

    private static func value(_ scalar: Node.Scalar, tag: Tag) -> JSONValue {
        switch tag {
        case Tag(.null): .null
        case Tag(.bool): Bool.construct(from: scalar).map(JSONValue.bool) ?? .string(scalar.string)
        case Tag(.int): Int.construct(from: scalar).map(JSONValue.int) ?? .string(scalar.string)
        case Tag(.float): Double.construct(from: scalar).map(JSONValue.double) ?? .string(scalar.string)
        default: .string(scalar.string)
        }
    }
}
