// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import SystemPackage

@testable import NodeOS

/// A directory that goes away with the body, mounts below it first.
func withTemporaryDirectory(_ body: (FilePath) async throws -> Void) async throws {
    var template = Array("/tmp/nodeos-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure.system(errno, "cannot make", "a temporary directory") }
    let path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    defer {
        let below = (try? MountTable.live().entries.filter { $0.path.starts(with: path) }) ?? []
        for mount in below.reversed() { umount2(mount.path.string, Int32(MNT_DETACH)) }
        try? FileTree(root: "/").remove(path)
    }
    try await body(path)
}

/// The failure a body ends with; `nil` when it succeeds.
func failure(of body: () async throws -> Void) async -> Failure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? Failure ?? Failure(.permanent, code: "not-a-failure", "\(error)")
    }
}

/// The code of the failure a body ends with.
func code(of body: () async throws -> Void) async -> String? { await failure(of: body)?.code }

/// Unmounts; a process that is just being started by another test holds copies of all descriptors until it runs.
func unmountWhenFree(_ path: FilePath) async throws {
    while case let failure? = await failure(of: { try await LiveNode().unmount(path) }) {
        guard failure.code == "busy" else { throw failure }
        await Task.yield()
    }
}

/// Answers commands from a script and remembers them.
final class ScriptedRunner: CommandRunner {
    private let commands = Mutex<[Command]>([])
    private let answer: @Sendable (Command, Int) throws -> CommandResult

    /// The second argument of the answer counts the commands before this one that began with the same two words.
    init(_ answer: @escaping @Sendable (Command, Int) throws -> CommandResult = { _, _ in CommandResult() }) {
        self.answer = answer
    }

    var ran: [Command] { commands.withLock { $0 } }
    var lines: [String] { ran.map { ([$0.program] + $0.arguments).joined(separator: " ") } }

    func result(of command: Command) async throws -> CommandResult {
        let before = commands.withLock { list in
            defer { list.append(command) }
            return list.count { $0.program == command.program && $0.arguments.first == command.arguments.first }
        }
        return try answer(command, before)
    }
}

extension String {
    var bytes: [UInt8] { Array(utf8) }
}

extension LiveNode {
    func text(_ path: FilePath) async throws -> String { String(decoding: try await read(path), as: UTF8.self) }
}
