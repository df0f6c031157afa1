// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Where a command's words go.
struct Console: Sendable {
    /// Results, to standard output.
    var output: @Sendable (String) -> Void
    /// Everything else, to standard error.
    var diagnostics: @Sendable (String) -> Void
    /// Whether a person watches standard output, so that lines may be drawn again.
    var isTerminal: Bool

    /// A line of a result.
    func line(_ text: String = "") { output(text + "\n") }
    /// A line beside the result.
    func note(_ text: String) { diagnostics(text + "\n") }

    /// The program's own streams.
    static let standard = Console(
        output: { FileHandle.standardOutput.write(Data($0.utf8)) },
        diagnostics: { FileHandle.standardError.write(Data($0.utf8)) },
        isTerminal: isatty(STDOUT_FILENO) == 1
    )
}
