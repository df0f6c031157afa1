// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Where a command's words go: what it did to standard output, why it did not to standard error.
struct StandardStreams: Sendable {
    /// A line of what was done.
    func say(_ line: String) { Self.put(line, STDOUT_FILENO) }
    /// The line that says why a command ends without having done what was asked.
    func complain(_ line: String) { Self.put("error: \(line)", STDERR_FILENO) }

    private static func put(_ line: String, _ descriptor: Int32) {
        var text = String(line.map { $0.isNewline ? " " : $0 }) + "\n"
        text.makeContiguousUTF8()
        _ = text.utf8.withContiguousStorageIfAvailable { write(descriptor, $0.baseAddress, $0.count) }
    }
}
