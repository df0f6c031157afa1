// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Testing

/// Compares text with a file beside the tests; `UPDATE_GOLDEN=1` rewrites the file and the run still fails.
enum Golden {
    static func check(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden").appending(path: name)
        let expected = (try? Data(contentsOf: url)).map { String(decoding: $0, as: UTF8.self) }
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1", expected != text {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        #expect(text == expected, "Golden/\(name) differs; UPDATE_GOLDEN=1 rewrites it", sourceLocation: sourceLocation)
    }
}
