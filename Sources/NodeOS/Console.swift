// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Standard output and standard error.
package enum Console {
    /// Prints a text and a newline for people and pipes.
    package static func print(_ text: String) { put(text.hasSuffix("\n") ? text : text + "\n", to: STDOUT_FILENO) }
    /// Prints a text and a newline for people only.
    package static func error(_ text: String) { put(text + "\n", to: STDERR_FILENO) }

    /// A text as one line, whatever a server has put into it.
    package static func line(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }

    private static func put(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            bytes = bytes.dropFirst(max(count, 0))
        }
    }
}
