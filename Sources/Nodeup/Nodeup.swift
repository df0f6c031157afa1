// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import NodeOS

/// Makes this machine what it is declared to be.
@main
struct Nodeup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodeup",
        abstract: "Makes this machine what it is declared to be.",
        discussion: "Exit status: 0 converged, 2 changes pending, 1 failed.",
        subcommands: [
            ApplyCommand.self, PlanCommand.self, DriftCommand.self, RenewCommand.self, PauseCommand.self,
            StatusCommand.self,
        ]
    )

    static func main() async {
        // Modes are what is declared, whoever starts this.
        umask(0o022)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let exit as ExitCode {
            Self.exit(withError: exit)
        } catch {
            guard exitCode(for: error) != .success else { exit(withError: error) }
            Console.error(
                ErrorReport(error).text(usage: exitCode(for: error) == .validationFailure ? message(for: error) : nil)
            )
            Self.exit(withError: ExitCode.failure)
        }
    }
}
