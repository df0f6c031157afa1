// SPDX-License-Identifier: Apache-2.0
import NodeOS
import SystemPackage

/// An etcd of one member that nobody but root on this machine can reach, and that ends by itself.
///
/// It listens on sockets in a directory that is open to root only, so it needs neither ports nor certificates. etcd takes
/// only names relative to its working directory for sockets. Should this program die, timeout(1) ends etcd at the limit.
struct ScratchEtcd {
    private static let client = "unix://client:0"
    private static let peer = "unix://peer:0"

    let commands: EtcdCommands

    init(runner: any CommandRunner, tools: EtcdTools, directory: FilePath, limit: Duration) {
        commands = EtcdCommands(
            runner: runner,
            tools: tools,
            endpoint: Self.client,
            directory: directory,
            limit: limit
        )
    }

    private var data: FilePath { FilePath("data") }

    /// Lays the data directory.
    ///
    /// - Throws: ``BackupDamage`` `backup-not-restorable` where etcd's own program refuses the snapshot.
    func restore(_ file: FilePath) async throws {
        let member = RestoredMember(
            name: "scratch",
            peerURL: Self.peer,
            peers: [EtcdUnit.Peer(name: "scratch", url: Self.peer)],
            token: "scratch"
        )
        do {
            try await commands.run(
                commands.tools.files,
                member.arguments(restoring: file, into: data),
                failing: "backup-not-restorable"
            )
        } catch let failure as Failure where failure.code == "backup-not-restorable" {
            throw BackupDamage(failure.code, failure.message)
        }
    }

    /// Starts etcd with the data, asks what it holds, and ends it.
    ///
    /// - Throws: ``BackupDamage`` `backup-not-serving` where etcd ends by itself; ``Failure``.
    func holdings() async throws -> EtcdCommands.DataStatus {
        let (commands, server) = (commands, try server)
        return try await withThrowingTaskGroup(of: EtcdCommands.DataStatus?.self) { group in
            group.addTask {
                let result = try await commands.runner.result(of: server)
                guard result.code < EtcdCommands.notItsOwn else {
                    throw server.failure(
                        result,
                        code: "etcd-tool-ended",
                        .transient,
                        hint: EtcdCommands.killedHint
                    )
                }
                throw BackupDamage(
                    "backup-not-serving",
                    "etcd \(commands.tools.release) ended with \(result.code) on its data: \(result.lastErrors)"
                )
            }
            group.addTask { try await commands.data(at: 0) }
            defer { group.cancelAll() }
            guard let answer = try await group.next(), let holdings = answer else { throw CancellationError() }
            return holdings
        }
    }

    private var server: Command {
        get throws {
            let arguments = [
                "--data-dir=\(data)", "--name=scratch", "--listen-client-urls=\(Self.client)",
                "--advertise-client-urls=\(Self.client)", "--listen-peer-urls=\(Self.peer)",
                "--initial-advertise-peer-urls=\(Self.peer)", "--initial-cluster=scratch=\(Self.peer)",
                // A database that had filled its quota is served all the same.
                "--quota-backend-bytes=8589934592",
            ]
            var command = commands.command(
                commands.tools.etcd,
                arguments + (try EtcdRelease(commands.tools.release).flags)
            )
            command.arguments =
                ["--signal=KILL", "\(commands.limit.components.seconds)", command.program] + command.arguments
            command.program = "timeout"
            return command
        }
    }
}
