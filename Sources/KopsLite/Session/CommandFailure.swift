// SPDX-License-Identifier: Apache-2.0
import Clouds
import KopsModel
import NodeOS
import StateStore

/// Why a command ends without having done what was asked: one line for each reason.
struct CommandFailure: Error, CustomStringConvertible {
    /// What went wrong, where, and the remedy, one line each.
    let lines: [String]
    /// The program's exit code; 2 only where `validate` says that a cluster is not ready, `get drift` that it has drifted.
    let exitCode: Int32

    init(_ message: String, remedy: String? = nil, exitCode: Int32 = 1) {
        self.lines = [message + (remedy.map { "; \($0)" } ?? "")]
        self.exitCode = exitCode
    }

    init(lines: [String], exitCode: Int32 = 1) {
        self.lines = lines
        self.exitCode = exitCode
    }

    var description: String { lines.joined(separator: "\n") }

    /// Any error as lines for a person, the chain of causes printed once.
    static func lines(of error: any Error) -> [String] {
        switch error {
        case let failure as CommandFailure: failure.lines
        case let failure as Failure: [failure.chain + (failure.hint.map { "; \($0)" } ?? "")]
        case is InvalidCluster, is SpecError: "\(error)".split(separator: "\n").map(String.init)
        case let error as StoreError: [error.description + (error.hint.map { "; \($0)" } ?? "")]
        case let error as KeyringError: ["\(error); \(error.hint)"]
        case let error as GenerationError: [error.description + (error.hint.map { "; \($0)" } ?? "")]
        default: ["\(error)".split(separator: "\n").joined(separator: " ")]
        }
    }
}
