// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The program's entry: parse, run, report.
@main
enum KopsLite {
    static func main() async {
        let session = Session.live()
        let code = await Runner(session: session).run(Array(CommandLine.arguments.dropFirst()))
        exit(code)
    }
}
