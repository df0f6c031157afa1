// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import NodeTasks
import NodeTesting
import SystemPackage
import Testing

/// What must not be done is not done in part: bad input meets a real tree, and the tree stays as it was.
@Suite(.enabled(if: isRoot, "owners need root"))
struct BadInputTests {
    /// One bad file: its bytes, where it is bad, and why.
    struct Input: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let place: String
        let reason: String

        init(_ name: String, _ bytes: [UInt8], at place: String, _ reason: String) {
            testDescription = name
            self.bytes = bytes
            self.place = place
            self.reason = reason
        }

        /// A task that stands after a good one, which must not be applied either.
        init(_ name: String, task: String, at place: String, _ reason: String) {
            let text = "{\"tasks\": [{\"file\": {\"path\": \"/good\", \"contents\": \"\"}}, \(task)]}"
            self.init(name, [UInt8](text.utf8), at: "tasks[1]\(place)", reason)
        }
    }

    static let inputs: [Input] = [
        Input("nothing", [], at: "", "is no JSON"),
        Input("no JSON", [UInt8]("tasks: []".utf8), at: "", "is no JSON"),
        Input("JSON that was cut off", [UInt8](#"{"tasks": [{"file""#.utf8), at: "", "is no JSON"),
        Input("bytes that are no UTF-8", [0x7B, 0x22, 0xFF, 0xFE, 0x22, 0x3A, 0x31, 0x7D], at: "", "is no JSON"),
        Input("zeros", [UInt8](repeating: 0, count: 4096), at: "", "is no JSON"),
        Input("a huge file", huge, at: "", "is larger than 64 MiB"),
        Input("lists in lists", [UInt8](repeating: 0x5B, count: 1 << 20), at: "", "is nested deeper than 32 levels"),
        Input(
            "objects in objects",
            [UInt8](String(repeating: #"{"tasks":"#, count: 1 << 17).utf8),
            at: "",
            "is nested deeper than 32 levels"
        ),
        Input("an unknown kind", task: #"{"fil": {}}"#, at: ".fil", "unknown kind; known are archive"),
        Input(
            "an unknown key",
            task: #"{"file": {"path": "/a", "contents": "", "colour": 1}}"#,
            at: ".file.colour",
            "unknown key; known are contents"
        ),
        Input("a relative path", task: file("etc/a"), at: ".file.path", "no absolute path"),
        Input("a path that climbs", task: file("/etc/../a"), at: ".file.path", "no absolute path"),
        Input("a path with a dot", task: file("/etc/./a"), at: ".file.path", "no absolute path"),
        Input("a path with NUL", task: file(#"/a\u0000b"#), at: ".file.path", "no absolute path"),
        Input("a path with a line break", task: file(#"/a\nb"#), at: ".file.path", "no absolute path"),
        Input("a name of 256 bytes", task: file("/" + long), at: ".file.path", "no absolute path"),
        Input("the root", task: file("/"), at: ".file.path", "is the root directory"),
        Input("a mode of nines", task: file("/a", #", "mode": "999""#), at: ".file.mode", "no octal mode"),
        Input("a mode that is too large", task: file("/a", #", "mode": "10000""#), at: ".file.mode", "no octal mode"),
        Input("a mode as a number", task: file("/a", #", "mode": 420"#), at: ".file.mode", "a string is wanted"),
        Input("a mode with a sign", task: file("/a", #", "mode": "-644""#), at: ".file.mode", "no octal mode"),
        Input("an owner that is a path", task: file("/a", #", "owner": "../x""#), at: ".file.owner", "may hold"),
        Input("two of a name", task: file("/good"), at: "", "has the same id as tasks[0]"),
        Input(
            "a source that climbs",
            task: #"{"file": {"path": "/a", "source": "/../x", "sha256": "\#(digest(""))"}}"#,
            at: ".file.source",
            "no absolute path"
        ),
        Input(
            "a digest that is none",
            task: #"{"file": {"path": "/a", "source": "/x", "sha256": "../../etc"}}"#,
            at: ".file.sha256",
            "is no SHA-256"
        ),
        Input("a user with a colon", task: #"{"user": {"name": "a:b"}}"#, at: ".user.name", "may hold"),
        Input(
            "a number below zero",
            task: #"{"group": {"name": "a", "gid": -1}}"#,
            at: ".group.gid",
            "between 0 and 4294967294"
        ),
        Input(
            "a number beyond all",
            task: #"{"group": {"name": "a", "gid": 4294967295}}"#,
            at: ".group.gid",
            "between 0 and 4294967294"
        ),
    ]

    @Test("a bad file is refused with its name, place and reason", arguments: inputs)
    func file(_ input: Input) async throws {
        try await FaultBench.using { bench in
            try await bench.put("as it was", at: "/etc/there")
            try await bench.untouched {
                let failure = try #require(throws: Failure.self) {
                    try NodeTaskGraph(TasksFile.parse(input.bytes, name: "bad.json"))
                }
                let place = input.place.isEmpty ? "" : "\(input.place): "
                #expect(failure.code == "tasks-file-invalid" && failure.kind == .permanent)
                #expect(failure.chain.hasPrefix("bad.json: \(place)"), "\(failure.chain)")
                #expect(failure.chain.contains(input.reason), "\(failure.chain)")
                #expect(failure.chain.utf8.count < 400 && !failure.chain.contains("\n"), "\(failure.chain)")
            }
        }
    }

    /// What a file cannot show: how the tree below the root stands in the way.
    private static let obstacles: [(String, String, String, @Sendable (FaultBench) async throws -> Void)] = [
        (file("/f"), "not-a-file", "/f is a directory", { try await $0.put("x", at: "/f/inside") }),
        (
            file("/f"), "not-a-file", "/f is a",
            { bench in mkfifo(bench.host("/f").string, 0o600) }
        ),
        (
            file("/a/f"), "symlink-loop", "/a/f",
            { bench in
                try await bench.node.link("/a", to: "b")
                try await bench.node.link("/b", to: "a")
            }
        ),
        (
            file("/etc/f"), "path-escapes-root", "/etc/f below",
            { bench in try await bench.node.link("/etc", to: "../..") }
        ),
        (
            file("/etc/f"), "path-escapes-root", "/etc/f below",
            { bench in try await bench.node.link("/etc", to: bench.directory.string) }
        ),
        (
            #"{"directory": {"path": "/var/lib/x", "ensure": "absent"}}"#, "path-escapes-root", "/var/lib/x below",
            { bench in try await bench.node.link("/var", to: "../") }
        ),
        (
            #"{"symlink": {"path": "/l", "target": "x"}}"#, "not-a-symlink", "/l is a regular",
            { try await $0.put("x", at: "/l") }
        ),
    ]

    @Test("a path that cannot be reached is refused, and nothing changes", arguments: obstacles.indices)
    func obstacle(_ index: Int) async throws {
        let (task, code, words, build) = Self.obstacles[index]
        try await FaultBench.using { bench in
            try await build(bench)
            let outside = try DirectoryTree.lines(below: bench.directory)
            let graph = try NodeTaskGraph(TasksFile.parse([UInt8]("{\"tasks\": [\(task)]}".utf8), name: "tasks.json"))
            let plan = try await graph.plan(on: bench.node)
            let report = await graph.converge(on: bench.node, reader: bench.node)
            for failure in [plan.failures.first?.failure, report.rootFailures.first?.failure] {
                #expect(failure?.code == code && failure?.kind == .permanent && failure?.hint != nil, "\(plan.text)")
                #expect(failure?.chain.contains(words) == true, "\(plan.text)")
            }
            #expect(try DirectoryTree.lines(below: bench.directory) == outside)
        }
    }

    private static let long = String(repeating: "n", count: 256)

    private static func file(_ path: String, _ more: String = "") -> String {
        "{\"file\": {\"path\": \"\(path)\", \"contents\": \"\"\(more)}}"
    }

    private static let huge = [UInt8](#"{"tasks": []}"#.utf8) + [UInt8](repeating: 0x20, count: TasksFile.sizeLimit)
}
