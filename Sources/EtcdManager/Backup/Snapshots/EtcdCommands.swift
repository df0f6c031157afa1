// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import SystemPackage

/// etcd's own programs as this uses them, each a command line and what it answers.
///
/// - Source: etcd v3.4 `etcdctl/README.md`, v3.5 `etcdutl/README.md`.
struct EtcdCommands {
    /// What `snapshot status` says of a file.
    struct FileStatus: Decodable, Equatable {
        var hash: UInt32
        var revision: Int64
        var totalKey: Int64
    }

    /// What a running etcd says of its data.
    struct DataStatus: Equatable {
        var revision: Int64
        var keys: Int64
        var hashKV: KVHash
    }

    /// etcd leaves out what is zero.
    private struct HashAnswer: Decodable {
        struct Body: Decodable {
            let hash: UInt32?
            let compactRevision: Int64?
            enum CodingKeys: String, CodingKey {
                case hash
                case compactRevision = "compact_revision"
            }
        }
        let body: Body
        enum CodingKeys: String, CodingKey { case body = "HashKV" }
    }

    let runner: any CommandRunner
    let tools: EtcdTools
    /// How to reach a running etcd.
    var endpoint = ""
    var client: EtcdClientFiles?
    /// The directory that the command runs in; sockets without a path are in it.
    var directory: FilePath?
    /// After it a command is ended.
    var limit: Duration = .seconds(1800)

    /// Copies a member's data to a file that is not there, with etcd's checksum behind it.
    ///
    /// - Parameters:
    ///   - file: Where to.
    ///   - size: About how many bytes that will be; a member that gives less than 1 MiB a second is taken for stuck.
    /// - Throws: ``Failure`` `etcd-not-answering`, `backup-snapshot-failed` (transient), `backup-disk-full` (permanent).
    func save(to file: FilePath, expecting size: Int64) async throws {
        // Unlike all its other commands etcdctl's `snapshot save` waits for ever for a member that refuses it.
        var probe = self
        probe.limit = .seconds(10)
        _ = try await probe.ask(["get", "", "--from-key", "--limit=1", "--keys-only", "--consistency=s"])
        var copy = self
        copy.limit = .seconds(60 + (size >> 20))
        try await copy.run(
            tools.etcdctl,
            connection + ["snapshot", "save", file.string],
            failing: "backup-snapshot-failed"
        )
    }

    /// What a snapshot's file holds.
    func status(of file: FilePath) async throws -> FileStatus {
        let text = try await run(
            tools.files,
            ["snapshot", "status", file.string, "--write-out=json"],
            failing: "backup-snapshot-unreadable"
        )
        var status: FileStatus = try decode(text, "snapshot status of \(file)")
        // etcd counts from 1, and a file without any key says 0.
        status.revision = max(1, status.revision)
        return status
    }

    /// What the member holds at a revision; 0: the newest.
    ///
    /// The client waits as long as `limit` for a server that is still starting.
    func data(at revision: Int64) async throws -> DataStatus {
        struct Header: Decodable { let revision: Int64 }
        struct Keys: Decodable { let header: Header, count: Int64? }
        // One key is fetched; the count is of all.
        let range = ["get", "", "--from-key", "--limit=1", "--keys-only", "--consistency=s", "--rev=\(revision)"]
        let keys: Keys = try decode(try await ask(range), "get")
        let hashes: [HashAnswer] = try decode(
            try await ask(["endpoint", "hashkv", "--rev=\(revision)"]),
            "endpoint hashkv"
        )
        return DataStatus(
            revision: keys.header.revision,
            keys: keys.count ?? 0,
            hashKV: KVHash(
                hash: hashes.first?.body.hash ?? 0,
                compactRevision: hashes.first?.body.compactRevision ?? 0
            )
        )
    }

    /// From here on an exit code is not etcd's word: timeout(1) and env(1) use 124 to 127, and signals, such as that of a kernel
    /// without memory, are 128 and more.
    static let notItsOwn: Int32 = 124
    static let killedHint = "see that the program is there, and dmesg for whether memory ran out"

    private func ask(_ arguments: [String]) async throws -> String {
        let seconds = "\(limit.components.seconds)s"
        let flags = ["--dial-timeout=\(seconds)", "--command-timeout=\(seconds)", "--write-out=json"]
        return try await run(tools.etcdctl, connection + flags + arguments, failing: "etcd-not-answering")
    }

    private var connection: [String] { ["--endpoints=\(endpoint)"] + (client?.flags ?? []) }

    @discardableResult
    func run(_ program: FilePath, _ arguments: [String], failing code: String) async throws -> String {
        let command = command(program, arguments)
        let result = try await runner.result(of: command)
        guard result.code == 0 else {
            if result.code >= Self.notItsOwn {
                throw command.failure(result, code: "etcd-tool-ended", .transient, hint: Self.killedHint)
            }
            if String(decoding: result.errors, as: UTF8.self).contains("no space left on device") {
                throw Failure.fullDisk("`\(command)`", cause: command.failure(result, code: code, .transient))
            }
            throw command.failure(result, code: code, .transient)
        }
        return result.text
    }

    /// The command, in its directory.
    func command(_ program: FilePath, _ arguments: [String]) -> Command {
        // etcd's client ends by itself at the limit, and says why.
        let timeout = limit + .seconds(10)
        guard let directory else { return Command(program.string, arguments, timeout: timeout) }
        return Command("env", ["--chdir=\(directory)", program.string] + arguments, timeout: timeout)
    }

    private func decode<Answer: Decodable>(_ text: String, _ command: String) throws -> Answer {
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(text.utf8))
        } catch {
            throw Failure(
                .permanent,
                code: "etcd-answer-unknown",
                "\(tools.etcdctl) \(command) answered something else than expected: \(text.prefix(200))",
                hint: "see that \(tools.release) is the release that is installed",
                cause: error
            )
        }
    }
}
