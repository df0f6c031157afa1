// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// An error as it is printed, once, by the program that ends with it.
struct ErrorReport {
    let error: any Error

    init(_ error: any Error) { self.error = error }

    /// `nodeup: <chain> [<code>]` and a line with the remedy; for a usage error the parser's own words.
    func text(usage: String?) -> String {
        if let usage { return "nodeup: \(usage)\nhint: nodeup --help" }
        guard let failure = error as? Failure else { return "nodeup: \(error)" }
        let line = "nodeup: \(failure.chain) [\(failure.code)]"
        return failure.hint.map { "\(line)\nhint: \($0)" } ?? line
    }
}
