// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTesting
import SystemPackage
import Testing

@testable import NodeTasks

@Suite struct UnifiedDiffTests {
    @Test("random texts: patch(1) turns the old one into the new one", arguments: Seeded.seeds(30))
    func patchAgrees(seed: UInt64) async throws {
        var random = Seeded(seed)
        let old = text(using: &random)
        let new = mutated(old, using: &random)
        guard let diff = UnifiedDiff.of(old, new, name: "/etc/a") else {
            #expect(old == new)
            return
        }
        #expect(try await patched(old, with: diff) == new, "\(diff)")
    }

    private func text(using random: inout Seeded) -> String {
        let lines = (0..<Int.random(in: 0...40, using: &random)).map { _ in
            "line \(Int.random(in: 0...9, using: &random))\n"
        }
        return lines.joined() + (Bool.random(using: &random) ? "no end" : "")
    }

    private func mutated(_ text: String, using random: inout Seeded) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let place = Int.random(in: 0...lines.count, using: &random)
            if Bool.random(using: &random), place < lines.count {
                lines.remove(at: place)
            } else {
                lines.insert("new \(Int.random(in: 0...9, using: &random))", at: place)
            }
        }
        return lines.joined(separator: "\n")
    }

    private func patched(_ old: String, with diff: String) async throws -> String {
        var result = ""
        try await TemporaryRoots.using { roots in
            let directory = try roots.makeDirectory()
            let node = LiveNode(root: directory)
            try await node.write([UInt8](old.utf8), to: "/old", attributes: FileAttributes())
            try await node.write([UInt8](diff.utf8), to: "/diff", attributes: FileAttributes())
            let names = ["new", "old", "diff"].map { directory.appending($0).string }
            try await SubprocessRunner().run(Command("patch", ["--silent", "--force", "-o"] + names))
            result = String(decoding: try await node.read("/new"), as: UTF8.self)
        }
        return result
    }

    @Test func readsAsDiffDoes() {
        let diff = UnifiedDiff.of("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nd\nX\nf", name: "/etc/a")
        #expect(
            diff == """
                --- /etc/a
                +++ /etc/a
                @@ -2,5 +2,5 @@
                 b
                 c
                 d
                -e
                -f
                +X
                +f
                \\ No newline at end of file

                """
        )
        #expect(UnifiedDiff.of("same\n", "same\n", name: "/a") == nil)
        #expect(UnifiedDiff.of("", "a\n", name: "/a", isNew: true) == "--- /dev/null\n+++ /a\n@@ -0,0 +1,1 @@\n+a\n")
    }

    @Test(
        "contents that some account may not read are never shown",
        arguments: [(0o600, 0o644, false), (0o644, 0o600, false), (0o640, 0o640, false), (0o644, 0o644, true)]
            as [(UInt16, UInt16, Bool)]
    )
    func secretsStay(old: UInt16, new: UInt16, secret: Bool) async throws {
        var machine = FakeMachine()
        machine.put("password=old\n", at: "/etc/a", mode: old)
        let task = FileTask("/etc/a", contents: "password=new\n", mode: new, secret: secret)
        let plan = try await NodeTaskGraph([task]).plan(on: FakeNode(machine))
        #expect(!plan.isEmpty)
        for text in [plan.text, try plan.json()] { #expect(!text.contains("password"), "\(text)") }
    }

    @Test func publicTextIsShown() async throws {
        var machine = FakeMachine()
        machine.put("a\n", at: "/etc/a", mode: 0o644)
        let plan = try await NodeTaskGraph([FileTask("/etc/a", contents: "b\n")]).plan(on: FakeNode(machine))
        #expect(plan.text.contains("        -a\n        +b\n"), "\(plan.text)")
    }
}
