// SPDX-License-Identifier: Apache-2.0
import KopsModel
import Testing

@testable import KopsLite

@Suite("files of machines that no cloud launches") struct MachineFileTests {
    private func boot(_ options: String) async throws -> Bench.Result {
        await (try Bench.withGeneration()).run("toolbox boot-config demo.example.com \(options)")
    }

    @Test("a machine is told what it must know")
    func told() async throws {
        let result = try await boot("--group nodes --machine nodes-1 --address 10.0.0.2")
        let boot = try JSONValue(parsing: Array(result.output.utf8))
        #expect(result.code == 0 && boot["instance"]?.string == "nodes-1", "\(result.text)")
        #expect(boot["address"]?.string == "10.0.0.2")
    }

    @Test(
        "what others could not reach, or would not wait for, is refused with what to write",
        arguments: [
            ("--group nodes --machine nodes-1 --address rack7.example.com", "is no IPv4 address; write one such as"),
            ("--group nodes --machine nodes-1 --address 10.0.0.02", "is no IPv4 address; write one such as"),
            (
                "--group nodes --machine rack7 --address 10.0.0.2",
                "declares no machine \"rack7\"; name it nodes-1, or raise"
            ),
            (
                "--group nodes --machine nodes-2 --address 10.0.0.2",
                "declares no machine \"nodes-2\"; name it nodes-1, or"
            ),
            (
                "--group racks --machine racks-1 --address 10.0.0.2",
                "there is no instance group racks in demo.example.com"
            ),
        ]
    )
    func refused(options: String, words: String) async throws {
        let result = try await boot(options)
        #expect(result.code == 1 && result.notes.contains(words), "\(result.text)")
    }
}
