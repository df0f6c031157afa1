// SPDX-License-Identifier: Apache-2.0
import Fetch
import FoundationEssentials
import NodeTesting
import StateStore
import Testing

@testable import ObjectStores

@Suite struct HTTPSStoreTests {
    /// A published cluster behind a real nginx.
    private func serve(_ body: @Sendable (Int, FileStore) async throws -> Void) async throws {
        let directory = NSTemporary.file()
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let files = try FileStore(url: "file://\(directory.path())")
        try await TestEnvironment.serve("nginx", [directory.path()]) { try await body($0, files) }
    }

    private func store(_ port: Int, _ path: String = "") throws -> HTTPSStore {
        try HTTPSStore(
            url: "http://127.0.0.1:\(port)\(path)",
            context: StoreContext(http: CurlClient(), environment: [:], clock: SimulatedClock())
        )
    }

    @Test func aGenerationIsReadThroughAWebServer() async throws {
        try await serve { port, files in
            let layout = ClusterLayout(clusterName: "a.example.com")
            let key = SigningKey(notAfter: .distantFuture)
            let now = Date(timeIntervalSince1970: 0)
            try await GenerationWriter(store: files, layout: layout, signers: [key], author: "a@b")
                .publish(objects: ["nodes/nodes.json": [1, 2]], previous: nil, message: "m", now: now)
            let reader = GenerationReader(store: try store(port), layout: layout, trust: HeadTrust([key.trusted]))
            let generation = try await reader.current()
            #expect(try await generation.object(named: "nodes/nodes.json") == [1, 2])
            #expect(try await store(port).read(StoreKey("a.example.com/nothing")) == nil)
        }
    }

    @Test func listsAreWhatAnIndexSays() async throws {
        try await serve { port, files in
            let store = try store(port)
            let missing = await #expect(throws: StoreError.self) { try await store.list(StoreKey("dir")) }
            #expect(missing?.code == "store-unlistable")
            try await files.write(Array("[\"b\", \"a/c\"]".utf8), to: StoreKey("dir/index.json"), when: .absent)
            #expect(try await store.list(StoreKey("dir")).map(\.description) == ["dir/a/c", "dir/b"])
            try await files.write(Array("[\"../b\"]".utf8), to: StoreKey("dir/index.json"), when: .always)
            await #expect(throws: StoreError.self) { try await store.list(StoreKey("dir")) }
        }
    }

    @Test func nothingIsWritten() async throws {
        let store = try HTTPSStore(
            url: "https://host/dir",
            context: StoreContext(http: ScriptedHTTP { _ in .init(status: 200) }, environment: [:])
        )
        let written = await #expect(throws: StoreError.self) {
            try await store.write([1], to: StoreKey("a"), when: .always)
        }
        let removed = await #expect(throws: StoreError.self) { try await store.remove(StoreKey("a"), when: .always) }
        #expect(written?.code == "store-read-only" && removed?.code == "store-read-only")
    }

    @Test(arguments: [("/denied", "store-denied"), ("/busy", "store-unreadable"), ("/reset", "store-unreadable")])
    func faultsOfARealServerAreNamed(_ path: String, _ code: String) async throws {
        try await serve { port, _ in
            let error = await #expect(throws: StoreError.self) { try await store(port, path).read(StoreKey("a")) }
            #expect(error?.code == code, "\(error.map { "\($0)" } ?? "")")
        }
    }

    @Test func aThrottledAnswerIsWhole() async throws {
        try await serve { port, files in
            let bytes = [UInt8](repeating: 7, count: 120_000)
            try await files.write(bytes, to: StoreKey("big"), when: .absent)
            #expect(try await store(port, "/slow").read(StoreKey("big"))?.bytes == bytes)
        }
    }

    @Test(arguments: [
        "http://example.com/x", "https://user@host/x", "https://host/../x", "https://host/x?y=z", "https:///x",
    ])
    func addressesThatCannotBeTrustedAreRefused(_ url: String) {
        #expect {
            _ = try HTTPSStore(url: url)
        } throws: { error in
            (error as? StoreError)?.code == "store-url-invalid"
        }
    }
}
