// SPDX-License-Identifier: Apache-2.0
import Synchronization
import SystemPackage

@testable import NodeOS

/// A dpkg that installs and holds what it is told to, into a directory; as the real one, it lets go of what it unpacks.
final class FakeDpkg: Sendable {
    let runner: ScriptedRunner

    private final class State: Sendable {
        let packages: Mutex<[String: (version: String, held: Bool)]>
        let failsMark = Mutex(false)
        let file: FilePath

        init(_ file: FilePath, _ packages: [String: (version: String, held: Bool)]) {
            self.file = file
            self.packages = Mutex(packages)
        }

        func record() throws {
            let text = packages.withLock { packages in
                packages.sorted { $0.key < $1.key }.map { name, package in
                    "Package: \(name)\nStatus: \(package.held ? "hold" : "install") ok installed\n"
                        + "Architecture: all\nVersion: \(package.version)\n\n"
                }.joined()
            }
            try FileTree(root: "/").write(text.bytes, to: file, FileAttributes())
        }

        func answer(_ command: Command) throws -> CommandResult {
            let names = command.arguments.split(separator: "--").last.map(Array.init) ?? []
            switch command.program {
            case "apt-cache":
                return CommandResult(output: names.map { "Package: \($0)\nVersion: 2\n\n" }.joined().bytes)
            case "apt-mark":
                guard
                    !failsMark.withLock({ fails in
                        defer { fails = false }
                        return fails
                    })
                else { return CommandResult(code: 100) }
                packages.withLock { for name in names { $0[name]?.held = command.arguments[0] == "hold" } }
            default:
                packages.withLock {
                    for name in names { $0[String(name.prefix { $0 != "=" })] = ("2", false) }
                }
            }
            try record()
            return CommandResult()
        }
    }

    private let state: State

    init(_ directory: FilePath, _ packages: [String: (version: String, held: Bool)]) {
        let state = State(directory.appending("status"), packages)
        self.state = state
        runner = ScriptedRunner { command, _ in try state.answer(command) }
        try? state.record()
    }

    /// The next hold fails.
    func failMark() { state.failsMark.withLock { $0 = true } }
}
