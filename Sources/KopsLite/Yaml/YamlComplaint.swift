// SPDX-License-Identifier: Apache-2.0
import KopsModel
import Yams

/// Says in one line what is wrong with a text that is no YAML.
struct YamlComplaint {
    let file: String
    let text: String

    func failure(for error: YamlError) -> CommandFailure {
        switch error {
        case .duplicatedKeysInMapping(let names, let context):
            let name = names.first ?? ""
            let path = duplicatePath(at: context.mark) ?? SpecPath(name)
            return CommandFailure("\(file):\(context.mark.line): \(path): is given twice", remedy: "keep one")
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return CommandFailure("\(file):\(mark.line): is no YAML: \(problem)")
        case .reader(let problem, _, _, _):
            return CommandFailure("\(file): is no YAML: \(problem)", remedy: "save it as UTF-8")
        default:
            return CommandFailure("\(file): is no YAML")
        }
    }

    /// The path of the name at a place.
    ///
    /// The parser gives up before there is a tree to look in, so the name is marked, which makes it unique, and the
    /// text parsed again.
    private func duplicatePath(at mark: Mark) -> SpecPath? {
        let sign = "duplicate-7f3a-"
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { Array($0.unicodeScalars) }
        guard lines.indices.contains(mark.line - 1), mark.column >= 1, mark.column <= lines[mark.line - 1].count else {
            return nil
        }
        var column = mark.column - 1
        if ["\"", "'"].contains(lines[mark.line - 1][column]) { column += 1 }
        lines[mark.line - 1].insert(contentsOf: Array(sign.unicodeScalars), at: column)
        let marked = lines.map { line in String(String.UnicodeScalarView(line)) }.joined(separator: "\n")
        guard let nodes = try? YamlDocument.nodes(in: marked) else { return nil }
        return nodes.lazy.compactMap { Self.path(of: sign, in: $0, at: SpecPath()) }.first
    }

    private static func path(of sign: String, in node: Node, at path: SpecPath) -> SpecPath? {
        switch node {
        case .sequence(let sequence):
            return sequence.enumerated().lazy
                .compactMap { Self.path(of: sign, in: $0.element, at: path.index($0.offset)) }.first
        case .mapping(let mapping):
            for (key, value) in mapping {
                guard let name = key.scalar?.string else { continue }
                if name.hasPrefix(sign) { return path.key(String(name.dropFirst(sign.count))) }
                if let found = Self.path(of: sign, in: value, at: path.key(name)) { return found }
            }
            return nil
        default: return nil
        }
    }
}
