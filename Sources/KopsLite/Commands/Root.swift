// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The command tree.
struct Root: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kopslite",
        abstract: "Clusters of Kubernetes, declared in a state store and built by their own machines.",
        version: Version.text,
        subcommands: [
            CreateCommand.self, ReplaceCommand.self, GetCommand.self, UpdateCommand.self, PreflightCommand.self,
            BundleCommand.self,
            LogCommand.self,
            DiffCommand.self, RevertCommand.self, PromoteCommand.self, TrustCommand.self, DistrustCommand.self,
            ValidateCommand.self, WatchCommand.self, ExportCommand.self,
            DeleteCommand.self, EtcdCommand.self, ToolboxCommand.self, VersionCommand.self,
        ]
    )
}

/// A command that needs the world outside.
protocol SessionCommand: ParsableCommand {
    func run(in session: Session) async throws
}

/// Runs a command line and turns every end into an exit code: 0 done, 1 an error, 2 a cluster that is not
/// ready or has drifted.
struct Runner: Sendable {
    var session: Session

    func run(_ arguments: [String]) async -> Int32 {
        do {
            var command = try Root.parseAsRoot(arguments)
            if let command = command as? any SessionCommand {
                try await command.run(in: session)
            } else {
                try command.run()
            }
            return 0
        } catch {
            return report(error)
        }
    }

    private func report(_ error: any Error) -> Int32 {
        if let failure = error as? CommandFailure {
            failure.lines.forEach(complain)
            return failure.exitCode
        }
        if Root.exitCode(for: error) == .success {
            session.console.output(Root.fullMessage(for: error).withFinalNewline)
            return 0
        }
        // The parser exits with 64 on a wrong command line and prints its usage; here every error is 1 and one line.
        if Root.exitCode(for: error) == .validationFailure {
            complain(usageLine(Root.message(for: error), full: Root.fullMessage(for: error)))
        } else {
            CommandFailure.lines(of: error).forEach(complain)
        }
        return 1
    }

    private func usageLine(_ message: String, full: String) -> String {
        let text = message.split(separator: "\n").map(String.init).joined(separator: " ")
        let hint = full.split(separator: "\n").last { $0.contains("See '") }
        guard let hint, let open = hint.firstIndex(of: "'"), let close = hint.lastIndex(of: "'"), open < close else {
            return text
        }
        let end = text.last == "." ? text.dropLast() : text[...]
        return "\(end); see \(hint[hint.index(after: open)..<close])"
    }

    private func complain(_ line: String) { session.console.note("error: \(line)") }
}

extension String {
    fileprivate var withFinalNewline: String { hasSuffix("\n") ? self : self + "\n" }
}

/// The program's own version.
enum Version {
    static let text = "0.1.0"
}

struct VersionCommand: SessionCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the program's version.")

    func run(in session: Session) async throws { session.console.line("kopslite \(Version.text)") }
}
