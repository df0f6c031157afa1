// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import NodeTesting
import StateStore
import Synchronization
import SystemPackage

@testable import EtcdManager

/// Answers for etcd's programs as 3.4.23 does, and remembers what it was asked.
final class ScriptedEtcd: CommandRunner {
    /// A word of a command line, and what comes of it.
    typealias Answer = @Sendable (Command) async throws -> CommandResult?

    static let tools = EtcdTools(release: "3.4.23", etcd: "/opt/etcd", etcdctl: "/opt/etcdctl", etcdutl: nil)
    static let snapshot = [UInt8](repeating: 7, count: 2500)

    private let asked = Mutex<[Command]>([])
    private let special: Answer

    init(_ special: @escaping Answer = { _ in nil }) { self.special = special }

    var commands: [Command] { asked.withLock { $0 } }

    func result(of command: Command) async throws -> CommandResult {
        asked.withLock { $0.append(command) }
        if let answer = try await special(command) { return answer }
        let words = command.arguments
        if let index = words.firstIndex(of: "save") {
            try await LiveNode().write(Self.snapshot, to: FilePath(words[index + 1]), attributes: FileAttributes())
        }
        let text =
            words.contains("status")
            ? #"{"hash":1709517475,"revision":7,"totalKey":10,"totalSize":2500}"#
            : words.contains("hashkv")
                ? #"[{"Endpoint":"e","HashKV":{"header":{"revision":7},"hash":727962906,"compact_revision":-1}}]"#
                : words.contains("get") ? #"{"header":{"revision":7},"kvs":[],"more":true,"count":4}"# : ""
        // An etcd runs until it is told to end.
        if command.program == "timeout" { try await ContinuousClock().sleep(for: .seconds(3600)) }
        return CommandResult(output: Array(text.utf8))
    }
}

/// A store that takes everything but one object.
struct PickyStore: StateStore {
    let memory: MemoryStore
    /// The last part of its key.
    let refused: String
    var url: String { "memory://" }
    func read(_ key: StoreKey) async throws -> StoredObject? { await memory.read(key) }
    func list(_ prefix: StoreKey) async throws -> [StoreKey] { await memory.list(prefix) }
    func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) async throws -> ObjectVersion {
        if key.parts.last == refused { throw StoreError.unavailable(url: url, reason: "no answer came") }
        return try await memory.write(bytes, to: key, when: condition)
    }
    func remove(_ key: StoreKey, when condition: WriteCondition) async throws {
        try await memory.remove(key, when: condition)
    }
}

/// A store that takes nothing below a prefix.
struct FullStore: StateStore {
    var url: String { "memory://" }
    func read(_ key: StoreKey) async throws -> StoredObject? { nil }
    func list(_ prefix: StoreKey) async throws -> [StoreKey] { [] }
    func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) async throws -> ObjectVersion {
        throw StoreError.unavailable(url: url, reason: "no answer came")
    }
    func remove(_ key: StoreKey, when condition: WriteCondition) async throws {}
}
