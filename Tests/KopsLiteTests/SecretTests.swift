// SPDX-License-Identifier: Apache-2.0
import StateStore
import Testing

@testable import KopsLite

@Suite("secrets") struct SecretTests {
    private func bench() async throws -> Bench {
        var bench = try await Bench.withGeneration()
        bench.files = ["old": "old", "new": "new"]
        return bench
    }

    private func create(_ options: String, _ bench: Bench) async -> Bench.Result {
        await bench.run("create secret login --name demo.example.com \(options)")
    }

    @Test("what replaces a secret leaves no copy of the old one to anybody")
    func replaced() async throws {
        let bench = try await bench()
        #expect(await create("-f old", bench).output.hasPrefix("Created secret/login\n"))
        let result = await create("-f new --for control-plane --force", bench)
        #expect(
            result.output.hasPrefix("Replaced secret/login\nNo longer for node machines; "),
            "\(result.text)"
        )
        #expect(await bench.run("get secrets demo.example.com").output.contains("login\tcontrol-plane\n"))
        let again = await create("-f new --for control-plane --force", bench)
        #expect(again.output.hasPrefix("Replaced secret/login\nTo give it"), "\(again.text)")
    }

    @Test("a secret is one for all that get it, so that there is none beside another of its name")
    func refused() async throws {
        let bench = try await bench()
        #expect(await create("-f old --for node", bench).code == 0)
        let result = await create("-f new --for control-plane", bench)
        #expect(result.code == 1 && result.notes.contains("has a secret login already"), "\(result.text)")
    }
}
