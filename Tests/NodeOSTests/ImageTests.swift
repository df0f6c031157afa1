// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import NodeOS

@Suite struct ImageTests {
    @Test func dockersWordsAreParsed() {
        let output = "Loaded image: registry/a:1\r\nThe image x already exists\nLoaded image ID: sha256:12\nLoaded\n"
        #expect(ImageStore.loadedNames(in: output) == ["registry/a:1", "sha256:12"])
    }

    @Test func dockerLoadsAndGivesIdentifiers() async throws {
        let runner = ScriptedRunner { command, _ in
            switch command.arguments[0] {
            case "load": CommandResult(output: "Loaded image: a:1\n".bytes)
            default:
                CommandResult(
                    output: command.arguments[1] == "inspect"
                        ? "sha256:aa\n".bytes : "sha256:aa\nsha256:aa\nsha256:bb\n".bytes
                )
            }
        }
        let node = LiveNode(runner: runner)
        #expect(try await node.importImage("/a.tar", into: "docker") == ["sha256:aa"])
        #expect(try await node.images(in: "docker") == ["sha256:aa", "sha256:bb"])
        #expect(
            runner.lines == [
                "docker load --input /a.tar", "docker image inspect --format {{.Id}} -- a:1",
                "docker image ls --no-trunc --quiet",
            ]
        )
    }

    @Test(arguments: ["", "unpacking b:1 (sha256:00)...done\n", "b:1 \tsaved\n"])
    func containerdTellsWhatAnImportBrought(_ words: String) async throws {
        // With words, the image was there before.
        let runner = ScriptedRunner { command, _ in
            if command.arguments.contains("import") { return CommandResult(output: words.bytes) }
            return CommandResult(output: "a:1\nb:1\n".bytes)
        }
        let node = LiveNode(runner: runner)
        if words.isEmpty {
            #expect(await code { _ = try await node.importImage("/b", into: "containerd") } == "archive-without-image")
        } else {
            #expect(try await node.importImage("/b", into: "containerd") == ["b:1"])
        }
        #expect(runner.lines.allSatisfy { $0.hasPrefix("ctr --namespace k8s.io images ") })
    }

    @Test func removingWhatIsNotThereIsNoError() async throws {
        let runner = ScriptedRunner { _, _ in CommandResult(output: "sha256:aa\n".bytes) }
        let node = LiveNode(runner: runner)
        try await node.removeImage("sha256:bb", from: "docker")
        try await node.removeImage("sha256:aa", from: "docker")
        #expect(runner.lines.filter { $0.contains(" rm ") } == ["docker image rm --force -- sha256:aa"])
        #expect(await code { _ = try await node.images(in: "rkt") } == "runtime-unknown")
    }
}
