// SPDX-License-Identifier: Apache-2.0
import NodeOS

extension Failure {
    /// All of it in one line: what was attempted and why it failed, the code, the remedy.
    var line: String { "\(chain) [\(code)]\(hint.map { "; \($0)" } ?? "")" }
}
