// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeTasks
import NodeTesting

/// Lists of tasks as somebody might write them: paths in paths, both ensures, ids that repeat, lead in circles or are
/// not there.
enum RandomList {
    private struct Entry: Encodable {
        struct Body: Encodable {
            var path: String
            var contents: String?
            var target: String?
            var ensure: String
        }

        var file: Body?
        var directory: Body?
        var symlink: Body?
        var id: String?
        var after: [String]?
    }

    static func json(_ random: inout Seeded) -> String {
        let count = Int.random(in: 1...5, using: &random)
        let tasks = (0..<count).map { _ in entry(&random) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try! encoder.encode(["tasks": tasks]), as: UTF8.self)
    }

    private static func entry(_ random: inout Seeded) -> Entry {
        let paths = ["/a", "/a/b", "/a/b/c", "/d", "/d/e", "/f", "/g/h", "/i", "/j/k", "/l", "/m", "/n", "/o"]
        let path = paths.randomElement(using: &random)!
        let ensure = Int.random(in: 0..<4, using: &random) == 0 ? "absent" : "present"
        var entry = Entry()
        switch Int.random(in: 0..<4, using: &random) {
        case 0, 1: entry.directory = Entry.Body(path: path, ensure: ensure)
        case 2: entry.file = Entry.Body(path: path, contents: "x", ensure: ensure)
        default: entry.symlink = Entry.Body(path: path, target: "x", ensure: ensure)
        }
        if Int.random(in: 0..<3, using: &random) == 0 { entry.id = "t\(Int.random(in: 1...4, using: &random))" }
        if Int.random(in: 0..<3, using: &random) == 0 {
            let known = (1...4).map { "t\($0)" } + paths.map { "directory:\($0)" } + paths.map { "file:\($0)" }
            entry.after = [known.randomElement(using: &random)!]
        }
        return entry
    }

    /// The names a list gives to tasks, and those it waits for.
    static func ids(in text: String) -> Set<String> {
        let document = try! JSONDecoder().decode([String: [Named]].self, from: Data(text.utf8))
        return Set((document["tasks"] ?? []).flatMap { $0.ids })
    }

    private struct Named: Decodable {
        struct Body: Decodable { var path: String }
        var file: Body?
        var directory: Body?
        var symlink: Body?
        var id: String?
        var after: [String]?

        var ids: [String] {
            let usual = [("file", file), ("directory", directory), ("symlink", symlink)].compactMap { kind, body in
                body.map { "\(kind):\($0.path)" }
            }
            return (id.map { [$0] } ?? usual) + (after ?? [])
        }
    }

    static func plan(_ text: String, on node: FakeNode) async throws -> Plan {
        try await NodeTaskGraph(TasksFile.parse([UInt8](text.utf8), name: "tasks.json")).plan(on: node)
    }
}
