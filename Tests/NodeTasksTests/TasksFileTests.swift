// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import NodeTasks
import NodeTesting
import Testing

/// The JSON of a tasks file, good and bad.
struct TasksFileTests {
    private func parse(_ text: String) throws -> [any NodeTask] {
        try TasksFile.parse([UInt8](text.utf8), name: "tasks.json")
    }

    @Test func readsEveryKind() async throws {
        let sha = digest("x")
        let tasks = try parse(
            """
            {"tasks": [
              {"file": {"path": "/a", "contents": "x", "mode": "0600", "owner": "etcd", "group": "0", "secret": true}},
              {"file": {"path": "/b", "source": "/c", "sha256": "\(sha)"}, "id": "b", "after": ["file:/a"]},
              {"directory": {"path": "/d", "mode": "1777"}},
              {"symlink": {"path": "/e", "target": "../d"}},
              {"package": {"name": "docker.io", "version": "20.10.24+dfsg1-1~deb12:1", "hold": true}},
              {"service": {"name": "docker.service", "running": true, "enabled": false, "restartOn": ["b"]}},
              {"user": {"name": "etcd", "uid": 100, "home": "/h", "shell": "/bin/sh", "groups": ["disk"]}},
              {"group": {"name": "disk", "gid": 6}},
              {"mount": {"device": "/dev/sdb", "path": "/m", "filesystem": "ext4", "options": ["noatime"]}},
              {"bindMount": {"source": "/m/x", "path": "/n", "options": ["ro"]}},
              {"filesystem": {"device": "/dev/sdb", "type": "ext4", "label": "l"}},
              {"archive": {"source": "/t", "sha256": "\(sha)", "path": "/o", "stripComponents": 1}},
              {"image": {"source": "/i", "sha256": "\(sha)", "runtime": "docker"}},
              {"sysctl": {"key": "net.ipv4.ip_forward", "value": 1}},
              {"kernelModule": {"name": "br_netfilter"}},
              {"hostsBlock": {"name": "k", "entries": {"10.0.0.1": ["api", "b"], "::1": "c"}}},
              {"hostsBlock": {"name": "l", "entries": ["10.0.0.1 api b"]}},
              {"certificate": {"certificate": "/k.crt", "key": "/k.key", "signer": {"path": "/ca.json"},
                "profile": {"commonName": "k", "usages": ["server"]}}}
            ]}
            """
        )
        #expect(
            tasks.map(\.id.name) == [
                "file:/a", "b", "directory:/d", "symlink:/e", "package:docker.io", "service:docker.service",
                "user:etcd",
                "group:disk", "mount:/m", "bindMount:/n", "filesystem:/dev/sdb", "archive:/o", "image:/i",
                "sysctl:net.ipv4.ip_forward", "kernelModule:br_netfilter", "hostsBlock:k", "hostsBlock:l",
                "certificate:/k.crt",
            ]
        )
        let plan = try await NodeTaskGraph(tasks).plan(on: FakeNode())
        #expect(plan.failures.isEmpty && plan.entries.count == 18, "\(plan.text)")
    }

    @Test func everyKindCanBeAbsent() async throws {
        let sha = digest("x")
        let absent = """
            {"file": {"path": "/a", E}} {"directory": {"path": "/d", E}} {"symlink": {"path": "/e", E}}
            {"package": {"name": "p", E}} {"service": {"name": "s.service", E}} {"user": {"name": "u", E}}
            {"group": {"name": "g", E}} {"mount": {"path": "/m", E}} {"bindMount": {"path": "/n", E}}
            {"filesystem": {"device": "/dev/sdb", E}} {"archive": {"path": "/o", E}}
            {"image": {"source": "/i", "sha256": "\(sha)", "runtime": "docker", E}} {"sysctl": {"key": "a.b", E}}
            {"kernelModule": {"name": "k", E}} {"hostsBlock": {"name": "h", E}}
            {"certificate": {"certificate": "/k.crt", "key": "/k.key", E}}
            """
        let entries = absent.split(separator: "\n").joined(separator: " ").split(separator: "}} {")
            .joined(separator: "}}, {").split(separator: "E").joined(separator: "\"ensure\": \"absent\"")
        let tasks = try parse("{\"tasks\": [\(entries)]}")
        #expect(Set(tasks.map { String($0.id.name.prefix { $0 != ":" }) }) == TasksFile.kindNames)
        let plan = try await NodeTaskGraph(tasks).plan(on: FakeNode())
        #expect(plan.isEmpty, "\(plan.text)")
    }

    @Test(
        "bad input is refused with its place",
        arguments: [
            ("", "is no JSON"), ("{", "is no JSON"), ("[]", "an object is wanted"), ("nonsense", "is no JSON"),
            ("{}", "tasks: missing"), (#"{"tasks": {}}"#, "tasks"), (#"{"tasks": null}"#, "tasks"),
            (#"{"tasks": [], "x": 1}"#, "x: unknown key"), (#"{"tasks": [1]}"#, "tasks[0]: has the wrong type"),
            (#"{"tasks": [{}]}"#, "tasks[0]: names no kind"),
            (#"{"tasks": [{"fil": {}}]}"#, "tasks[0].fil: unknown kind; known are archive, bindMount"),
            (#"{"tasks": [{"file": {"path": "/a", "contents": ""}, "group": {"name": "g"}}]}"#, "names several kinds"),
            (#"{"tasks": [{"file": []}]}"#, "tasks[0].file: has the wrong type"),
            (#"{"tasks": [{"file": null}]}"#, "tasks[0].file"),
            (#"{"tasks": [{"file": {"contents": ""}}]}"#, "tasks[0].file.path: missing"),
            (#"{"tasks": [{"file": {"path": "/a"}}]}"#, "tasks[0].file.contents: missing"),
            (
                #"{"tasks": [{"file": {"path": 1, "contents": ""}}]}"#,
                "tasks[0].file.path: has the wrong type; a string"
            ),
            (#"{"tasks": [{"file": {"path": null, "contents": ""}}]}"#, "tasks[0].file.path: is null"),
            (#"{"tasks": [{"file": {"path": "a", "contents": ""}}]}"#, "tasks[0].file.path: \"a\" is no absolute path"),
            (#"{"tasks": [{"file": {"path": "/a/../b", "contents": ""}}]}"#, "tasks[0].file.path"),
            (#"{"tasks": [{"file": {"path": "/a\u0000b", "contents": ""}}]}"#, "tasks[0].file.path: \"/a?b\""),
            (#"{"tasks": [{"file": {"path": "/", "contents": ""}}]}"#, "tasks[0].file.path: is the root directory"),
            (#"{"tasks": [{"file": {"path": "/a", "contents": "", "mode": "999"}}]}"#, "tasks[0].file.mode: \"999\""),
            (#"{"tasks": [{"file": {"path": "/a", "contents": "", "mode": "10000"}}]}"#, "tasks[0].file.mode"),
            (
                #"{"tasks": [{"file": {"path": "/a", "contents": "", "mode": 420}}]}"#,
                "tasks[0].file.mode: has the wrong"
            ),
            (
                #"{"tasks": [{"file": {"path": "/a", "contents": "", "colour": 1}}]}"#,
                "tasks[0].file.colour: unknown key"
            ),
            (#"{"tasks": [{"file": {"path": "/a", "contents": "", "path": "/b"}}]}"#, "the member \"path\" twice"),
            (#"{"tasks": [{"file": {"path": "/a", "contents": "", "p\u0061th": "/b"}}]}"#, "the member \"path\" twice"),
            (#"{"tasks": [{"file": {"path": "/a", "source": "/b", "sha256": "12"}}]}"#, "tasks[0].file.sha256"),
            (#"{"tasks": [{"file": {"path": "/a", "source": "/b", "contents": ""}}]}"#, "tasks[0].file.source"),
            (#"{"tasks": [{"file": {"path": "/a", "contents": "", "ensure": "gone"}}]}"#, "tasks[0].file.ensure"),
            (
                #"{"tasks": [{"file": {"path": "/a", "contents": ""}}, {"file": {"path": "/a", "contents": ""}}]}"#,
                "tasks[1]: has the same id as tasks[0], file:/a"
            ),
            (#"{"tasks": [{"package": {"name": "a b"}}]}"#, "tasks[0].package.name"),
            (#"{"tasks": [{"package": {"name": "-y"}}]}"#, "tasks[0].package.name"),
            (#"{"tasks": [{"package": {"name": "a", "hold": "yes"}}]}"#, "tasks[0].package.hold: has the wrong type"),
            (#"{"tasks": [{"package": {"name": "a", "hold": null}}]}"#, "tasks[0].package.hold"),
            (
                #"{"tasks": [{"package": {"name": "a", "hold": true, "ensure": "absent"}}]}"#,
                "tasks[0].package.hold: what is absent"
            ),
            (#"{"tasks": [{"service": {"name": "docker"}}]}"#, "tasks[0].service.name: \"docker\" has no suffix"),
            (#"{"tasks": [{"service": {"name": "../x.service"}}]}"#, "tasks[0].service.name"),
            (#"{"tasks": [{"service": {"name": "a.service", "running": "yes"}}]}"#, "tasks[0].service.running"),
            (
                #"{"tasks": [{"service": {"name": "a.service", "dropIns": {"../x.conf": ""}}}]}"#,
                "tasks[0].service.dropIns"
            ),
            (#"{"tasks": [{"service": {"name": "a.service", "dropIns": {"x": ""}}}]}"#, "\"x\" is no file name"),
            (#"{"tasks": [{"user": {"name": "etcd", "uid": -1}}]}"#, "tasks[0].user.uid"),
            (#"{"tasks": [{"user": {"name": "1"}}]}"#, "tasks[0].user.name: is a number"),
            (#"{"tasks": [{"user": {"name": "root", "ensure": "absent"}}]}"#, "tasks[0].user.name"),
            (#"{"tasks": [{"sysctl": {"key": "a.b/../../x", "value": "1"}}]}"#, "tasks[0].sysctl.key"),
            (#"{"tasks": [{"sysctl": {"key": "a.b", "value": "1\n2"}}]}"#, "tasks[0].sysctl.value"),
            (#"{"tasks": [{"hostsBlock": {"name": "k", "entries": {"api": "b"}}}]}"#, "\"api\" is no IP address"),
            (
                #"{"tasks": [{"hostsBlock": {"name": "k", "entries": {"10.0.0.1": ["a\nb"]}}}]}"#,
                "tasks[0].hostsBlock.entries"
            ),
            (#"{"tasks": [{"image": {"source": "/i", "sha256": "x", "runtime": "docker"}}]}"#, "tasks[0].image.sha256"),
            (#"{"tasks": [{"archive": {"source": "/i", "path": "/o", "sha256": "x"}}]}"#, "tasks[0].archive.sha256"),
            (
                #"{"tasks": [{"certificate": {"certificate": "/a", "key": "/b", "signer": {}, "profile": {"commonName": "k", "usages": ["x"]}}}]}"#,
                "tasks[0].certificate.profile.usages"
            ),
            (#"{"tasks": [{"group": {"name": "g"}, "id": ""}]}"#, "tasks[0].id"),
            (#"{"tasks": [{"group": {"name": "g"}, "after": "x"}]}"#, "tasks[0].after: has the wrong type; a list"),
            (#"{"tasks": [{"group": {"name": "g"}, "after": [1]}]}"#, "tasks[0].after[0]"),
        ]
    )
    func refuses(text: String, reason: String) throws {
        let failure = try #require(throws: Failure.self) { _ = try parse(text) }
        #expect(failure.code == "tasks-file-invalid" && failure.message.hasPrefix("tasks.json: "))
        #expect(failure.message.contains(reason), "\(failure.message)")
        #expect(!failure.message.contains("\n"))
    }

    @Test func refusesDepth() throws {
        for text in [String(repeating: "[", count: 1_000_000), String(repeating: "{\"a\":", count: 100_000)] {
            let failure = try #require(throws: Failure.self) { _ = try parse(text) }
            #expect(failure.message.contains("nested deeper"))
        }
    }

    @Test("no damage to a file crashes the parser or lets a secret out", arguments: Seeded.seeds(20))
    func damage(seed: UInt64) throws {
        var random = Seeded(seed)
        let good =
            #"{"tasks": [{"file": {"path": "/a", "contents": "hunter2", "mode": "0600"}, "after": ["b"]}, {"sysctl": {"key": "a.b", "value": 1}, "id": "b"}]}"#
        for _ in 0..<200 {
            var bytes = [UInt8](good.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(#"{}[]",:\"#.utf8.randomElement(using: &random) ?? 0, at: place)
                }
            }
            do {
                _ = try TasksFile.parse(bytes, name: "tasks.json")
            } catch let failure as Failure {
                #expect(!failure.chain.contains("hunter2"), "\(random) \(failure.chain)")
            }
        }
    }
}
