// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials

/// Text that is compared with a file beside the test.
public enum Golden {
    /// Why a text is not accepted.
    public struct Mismatch: Error, CustomStringConvertible {
        /// The file, the first different line, and how to accept the new text.
        public let description: String
    }

    /// Compares a text with `Golden/<name>` in the folder of the test.
    ///
    /// With `UPDATE_GOLDEN=1` in the environment the file is rewritten and the test fails all the same, so that no run
    /// can pass by accepting what it should judge.
    ///
    /// - Throws: ``Mismatch`` when they differ.
    public static func check(_ text: String, _ name: String, testFile: String = #filePath) throws {
        let url = URL(filePath: testFile).deletingLastPathComponent().appending(path: "Golden/\(name)")
        let wanted = (try? Data(contentsOf: url)).map { String(decoding: $0, as: UTF8.self) }
        guard wanted != text else { return }
        guard ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" else {
            throw Mismatch(description: "Golden/\(name): \(difference(wanted, text)); UPDATE_GOLDEN=1 accepts it")
        }
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(text.utf8).write(to: url)
        throw Mismatch(description: "Golden/\(name) was rewritten; look at the difference and run again")
    }

    private static func difference(_ wanted: String?, _ text: String) -> String {
        guard let wanted else { return "there is no such file, the text is\n\(text)" }
        let old = wanted.split(separator: "\n", omittingEmptySubsequences: false)
        let new = text.split(separator: "\n", omittingEmptySubsequences: false)
        let line = zip(old, new).enumerated().first { $1.0 != $1.1 }?.offset ?? min(old.count, new.count)
        let (left, right) = (line < old.count ? old[line] : "", line < new.count ? new[line] : "")
        return "line \(line + 1) is\n\(right)\ninstead of\n\(left)\nin\n\(text)"
    }
}
