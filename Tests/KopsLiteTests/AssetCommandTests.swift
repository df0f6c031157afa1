// SPDX-License-Identifier: Apache-2.0
import KopsModel
import StateStore
import Testing

@testable import KopsLite

@Suite("mirrors and bundles") struct AssetCommandTests {
    @Test(
        "what is said of a mirror is an address that a specification may hold",
        arguments: [
            ("file:///srv/assets", "To use it, set spec.assets.fileRepository to file:///srv/assets."),
            ("s3://b/assets/", "its URL there, such as https://b.s3.amazonaws.com/assets."),
            ("gs://b", "its URL there, such as https://storage.googleapis.com/b."),
            ("s3://b/assets?endpoint=http://10.0.0.9", "set spec.assets.fileRepository to its URL there."),
        ]
    )
    func use(mirror: String, words: String) throws {
        let said = GetAssets.use(of: mirror)
        #expect(said.hasSuffix(words), "\(said)")
        for word in said.split(separator: " ").map(String.init) where word.contains("://") {
            #expect(ClusterCheck.isFileRepository(word))
        }
    }

    @Test("a bundle names no address that its own declaration would be refused for")
    func bundleURL() async throws {
        let bench = try await Bench.withGeneration()
        let result = await bench.run("bundle demo.example.com --out /nowhere --url s3://bucket/assets")
        #expect(
            result.code == 1
                && result.notes.contains("--url: \"s3://bucket/assets\" is no URL of a file repository"),
            "\(result.text)"
        )
    }
}
