// SPDX-License-Identifier: Apache-2.0
import Subprocess
import SystemPackage

/// Runs commands on this machine.
///
/// The environment is the caller's with `LC_ALL=C`, so that messages can be relied on, `DEBIAN_FRONTEND=noninteractive`
/// and the administrator's PATH. Each command is the leader of a session of its own, so that a timeout ends what it
/// started as well.
public struct SubprocessRunner: CommandRunner {
    private let clock: any Clock<Duration>

    /// Makes a runner whose timeouts are measured by a clock.
    public init(clock: any Clock<Duration> = ContinuousClock()) { self.clock = clock }

    /// Runs a command to its end (``CommandRunner``).
    public func result(of command: Command) async throws -> CommandResult {
        try await LongWork.within(command.timeout) { try await limitedResult(of: command) }
    }

    private func limitedResult(of command: Command) async throws -> CommandResult {
        try await withThrowingTaskGroup(of: CommandResult?.self) { group in
            group.addTask { try await Self.execute(command) }
            group.addTask {
                try await clock.sleep(for: command.timeout)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let result = first else {
                throw Failure(
                    .transient,
                    code: "command-timeout",
                    "`\(command)` did not end within \(command.timeout)",
                    hint: "run it by hand to see what it waits for"
                )
            }
            return result
        }
    }

    static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    private static func execute(_ command: Command) async throws -> CommandResult {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.gracefulShutDown(toProcessGroup: true, allowedDurationToNextStep: .seconds(5))]
        var environment: [Environment.Key: String?] = [
            "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "PATH": path,
            // Only this program may speak for its service (sd_notify(3)).
            "NOTIFY_SOCKET": nil, "WATCHDOG_USEC": nil, "WATCHDOG_PID": nil,
        ]
        for (name, value) in command.environment { environment[.init(stringLiteral: name)] = value }
        let program: Executable =
            command.program.hasPrefix("/") ? .path(FilePath(command.program)) : .name(command.program)
        do {
            let outcome = try await Subprocess.run(
                program,
                arguments: Arguments(command.arguments),
                environment: .inherit.updating(environment),
                platformOptions: options,
                input: .none,
                output: .sequence,
                error: .sequence
            ) { execution in
                async let errors = tail(of: execution.standardError, limit: 8192)
                let output = try await head(of: execution.standardOutput, limit: command.outputLimit, command)
                return (output, try await errors)
            }
            return CommandResult(
                code: outcome.terminationStatus.shellCode,
                output: outcome.closureResult.0,
                errors: outcome.closureResult.1
            )
        } catch let error as SubprocessError {
            throw failure(error, command)
        }
    }

    private static func head(
        of pieces: SubprocessOutputSequence,
        limit: Int,
        _ command: Command
    ) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in pieces {
            piece.withUnsafeBytes { bytes.append(contentsOf: $0) }
            guard bytes.count <= limit else {
                throw Failure(
                    .permanent,
                    code: "command-output-limit",
                    "`\(command)` wrote more than \(limit) bytes",
                    hint: "run it by hand to see what it says"
                )
            }
        }
        return bytes
    }

    private static func tail(of pieces: SubprocessOutputSequence, limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await piece in pieces {
            piece.withUnsafeBytes { bytes.append(contentsOf: $0) }
            if bytes.count > 2 * limit { bytes.removeFirst(bytes.count - limit) }
        }
        return Array(bytes.suffix(limit))
    }

    private static func failure(_ error: SubprocessError, _ command: Command) -> Failure {
        guard error.code == .executableNotFound else {
            return Failure(
                .transient,
                code: "command-failed",
                "cannot run `\(command)`",
                hint: "see that the program is whole, and that memory and processes are left (free -m)",
                cause: error
            )
        }
        return Failure(
            .permanent,
            code: "command-not-found",
            "cannot run `\(command)`: there is no program \(command.program)",
            hint: "install the package that holds \(command.program)"
        )
    }
}

extension TerminationStatus {
    /// As shells count: a signal is 128 more.
    fileprivate var shellCode: Int32 {
        switch self {
        case .exited(let code): code
        case .signaled(let signal): 128 + signal
        }
    }
}
