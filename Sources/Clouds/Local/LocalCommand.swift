// SPDX-License-Identifier: Apache-2.0
import NodeOS
import Subprocess
import SystemPackage

/// A program of the host as a value: what is run, without a shell between.
struct LocalCommand: Sendable, Equatable, CustomStringConvertible {
    /// The program's name and its arguments.
    var arguments: [String]
    /// The whole environment; `nil` for the host's with a path that has the administrator's programs.
    var environment: [String: String]?

    init(_ arguments: String...) { self.arguments = arguments }
    init(_ arguments: [String]) { self.arguments = arguments }

    var description: String { arguments.joined(separator: " ") }

    private static let path = "/usr/sbin:/usr/bin:/sbin:/bin"
    /// In bytes, for each of both streams.
    private static let limit = 64 << 20
    private static let packages = [
        "systemd-nspawn": "systemd-container", "ip": "iproute2", "iptables": "iptables", "nft": "nftables",
        "losetup": "mount", "nsenter": "util-linux", "setsid": "util-linux", "tar": "tar", "cp": "coreutils",
        "rm": "coreutils", "sha256sum": "coreutils", "mount": "mount", "umount": "mount", "systemd-run": "systemd",
    ]

    /// Whether the program is on the host.
    static func isInstalled(_ program: String) -> Bool {
        path.split(separator: ":").contains { LocalFiles.exists(FilePath(String($0)).appending(program)) }
    }

    /// - Throws: ``Failure`` `tool-missing`.
    static func require(_ programs: String...) throws {
        for program in programs where !isInstalled(program) {
            throw Failure(
                .permanent,
                code: "tool-missing",
                "the local cloud needs \(program), which this host does not have",
                hint: packages[program].map { "apt-get install \($0)" }
            )
        }
    }

    /// Runs to the end, whatever the end is.
    func execute() async throws -> Execution {
        try Self.require(arguments[0])
        var variables = Environment.inherit.updating(["PATH": Self.path, "LC_ALL": "C"])
        if let environment {
            variables = .custom(
                Dictionary(
                    uniqueKeysWithValues: environment.compactMap { name, value in
                        Environment.Key(rawValue: name).map { ($0, value) }
                    }
                )
            )
        }
        do {
            let result = try await Subprocess.run(
                .path(Self.location(of: arguments[0])),
                arguments: Arguments(Array(arguments.dropFirst())),
                environment: variables,
                output: .bytes(limit: Self.limit),
                error: .bytes(limit: Self.limit)
            )
            let status: Int
            switch result.terminationStatus {
            case .exited(let code): status = Int(code)
            case .signaled(let signal): status = 128 + Int(signal)
            }
            return Execution(
                status: status,
                standardOutput: result.standardOutput,
                standardError: result.standardError
            )
        } catch let error as SubprocessError {
            throw Failure(.transient, code: "local-command", "cannot run `\(self)`", cause: error)
        }
    }

    /// Runs, and takes a status other than 0 for a failure.
    ///
    /// - Returns: What it wrote to standard output.
    @discardableResult
    func run() async throws -> String {
        let result = try await execute()
        guard result.status == 0 else {
            let said = String(decoding: result.standardError.suffix(1000), as: UTF8.self)
                .split(separator: "\n").joined(separator: "; ")
            throw Failure(
                .permanent,
                code: "local-command",
                "`\(self)` ended with status \(result.status): \(said)",
                hint: LocalHostReader.isRoot ? nil : "run as root"
            )
        }
        return String(decoding: result.standardOutput, as: UTF8.self)
    }

    private static func location(of program: String) -> FilePath {
        let places = path.split(separator: ":").map { FilePath(String($0)).appending(program) }
        return places.first(where: LocalFiles.exists) ?? FilePath(program)
    }
}
