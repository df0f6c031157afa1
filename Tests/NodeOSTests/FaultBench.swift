// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import SystemPackage

@testable import NodeOS

/// A machine whose programs and service manager answer from a script, with a directory of its own.
struct FaultBench: Sendable {
    let directory: FilePath

    static func using(_ body: (FaultBench) async throws -> Void) async throws {
        try await withTemporaryDirectory { try await body(FaultBench(directory: $0)) }
    }

    /// This machine, on which one program ends with a code and words that a real one was seen to use.
    ///
    /// Any other program succeeds and says nothing.
    func node(_ program: String, _ code: Int32, _ errors: String) -> LiveNode {
        LiveNode(
            runner: ScriptedRunner { command, _ in
                command.program == program ? CommandResult(code: code, errors: errors.bytes) : CommandResult()
            }
        )
    }

    /// A package manager with lists that know a package `a`, whose programs answer from a script.
    func packages(
        status: String = "",
        known: String = "Package: a\nVersion: 1\n",
        _ answer: @escaping @Sendable (Command) throws -> CommandResult = { _ in CommandResult() }
    ) async throws -> AptSystem {
        let node = LiveNode()
        for (name, text) in [("status", status), ("lists/m_Packages", "")] {
            let path = directory.pushing(FilePath(name))
            try await node.makeDirectory(path.removingLastComponent(), attributes: FileAttributes())
            try await node.write(text.bytes, to: path, attributes: FileAttributes())
        }
        let runner = ScriptedRunner { command, _ in
            if command.program == "apt-cache" {
                return CommandResult(code: known.isEmpty ? 100 : 0, output: known.bytes)
            }
            return try answer(command)
        }
        return AptSystem(
            runner: runner,
            dpkg: directory,
            lists: directory.appending("lists"),
            owed: directory.appending("holds")
        )
    }

    /// An image of a disk, sparse.
    func image(_ size: Int64) async throws -> FilePath {
        let path = directory.appending("image")
        try await SubprocessRunner().run(Command("truncate", ["--size=\(size)", path.string]))
        return path
    }

    /// A loop device of an image while the body runs (loop(4)).
    func withLoop(_ image: FilePath, _ body: (String) async throws -> Void) async throws {
        let output = try await SubprocessRunner().run(Command("losetup", ["--find", "--show", image.string]))
        let device = output.filter { !$0.isWhitespace }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(device)) } catch { outcome = .failure(error) }
        try await SubprocessRunner().run(Command("losetup", ["--detach", device]))
        try outcome.get()
    }
}
