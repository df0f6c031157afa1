// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import NodeTasks

/// How the result is shown.
struct OutputOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    @Option(name: .shortAndLong, help: "text or json.")
    var output = Format.text

    func render(_ report: ConvergeReport) throws -> String {
        output == .json ? try report.json() : report.text
    }

    func render(_ plan: Plan) throws -> String {
        output == .json ? try plan.json() : plan.text
    }
}
