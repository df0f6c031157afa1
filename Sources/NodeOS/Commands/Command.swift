// SPDX-License-Identifier: Apache-2.0

/// A program and its arguments, as a value: there is no shell, so nothing is quoted or expanded.
public struct Command: Sendable, Equatable, CustomStringConvertible {
    /// A name that is looked up on PATH, or an absolute path.
    public var program: String
    /// Without the program's own name.
    public var arguments: [String]
    /// Added to the environment of every command (``CommandRunner``).
    public var environment: [String: String]
    /// After it the program is told to end, and five seconds later killed.
    public var timeout: Duration
    /// How many bytes of standard output are kept; a command that writes more fails.
    public var outputLimit: Int

    /// Makes a command; without other words it has two minutes and 1 MiB of output.
    public init(
        _ program: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        timeout: Duration = .seconds(120),
        outputLimit: Int = 1 << 20
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.timeout = timeout
        self.outputLimit = outputLimit
    }

    /// The words, joined by blanks, for messages; at most 200 characters.
    public var description: String {
        let line = ([program] + arguments).joined(separator: " ")
        return line.count <= 200 ? line : line.prefix(199) + "…"
    }
}

/// What a command left behind.
public struct CommandResult: Sendable, Equatable {
    /// The exit code, or 128 plus the signal that ended it, as shells count.
    public var code: Int32
    /// Standard output.
    public var output: [UInt8]
    /// The end of standard error, at most 8 KiB.
    public var errors: [UInt8]

    /// Makes a result from its parts.
    public init(code: Int32 = 0, output: [UInt8] = [], errors: [UInt8] = []) {
        self.code = code
        self.output = output
        self.errors = errors
    }

    /// Standard output as text.
    public var text: String { String(decoding: output, as: UTF8.self) }

    /// The last lines of standard error that say something, joined by ` | `; at most three lines of 300 characters.
    public var lastErrors: String {
        let lines = String(decoding: errors, as: UTF8.self).split { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }
        return lines.filter { $0.contains { !$0.isWhitespace } }.suffix(3).map { String($0.prefix(300)) }
            .joined(separator: " | ")
    }
}

/// Runs commands: on the machine, or in a test from a script.
public protocol CommandRunner: Sendable {
    /// Runs a command to its end; a non-zero code is a result, not an error.
    ///
    /// - Throws: ``Failure`` `command-not-found`, `command-timeout`, `command-output-limit` or `command-failed` when it
    ///   could not be run to its end.
    func result(of command: Command) async throws -> CommandResult
}

extension CommandRunner {
    /// Runs a command that has to succeed, and returns its standard output.
    ///
    /// - Throws: ``Failure`` with the given code and the last lines of standard error when it exits non-zero.
    @discardableResult
    public func run(
        _ command: Command,
        failing code: String = "command-failed",
        _ kind: Failure.Class = .transient,
        hint: String? = nil
    ) async throws -> String {
        let result = try await result(of: command)
        guard result.code == 0 else { throw command.failure(result, code: code, kind, hint: hint) }
        return result.text
    }
}

extension Command {
    /// A result other than success as a failure.
    public func failure(
        _ result: CommandResult,
        code: String,
        _ kind: Failure.Class,
        hint: String? = nil
    ) -> Failure {
        let errors = result.lastErrors
        return Failure(
            kind,
            code: code,
            "`\(self)` exited with \(result.code)" + (errors.isEmpty ? "" : ": \(errors)"),
            hint: hint
        )
    }
}
