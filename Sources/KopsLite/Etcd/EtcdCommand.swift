// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import EtcdManager
import KopsModel
import StateStore

/// `etcd …` shows a cluster's etcd and its backups, has one taken, and has etcd begun anew from one of them.
struct EtcdCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "etcd",
        abstract: "Show a cluster's etcd and its backups; take one, restore one.",
        subcommands: [
            EtcdStatusCommand.self, EtcdBackupCommand.self, EtcdBackupsCommand.self, EtcdRestoreCommand.self,
        ]
    )
}

/// What every command of `etcd` is told.
struct EtcdOptions: ParsableArguments {
    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Option(name: .customLong("etcd-cluster"), help: "main or events.")
    var etcdCluster = "main"

    /// The etcd cluster as the store has it; one that runs without Kubernetes has no declaration there.
    func place(in session: Session) async throws -> EtcdPlace {
        let name = try nameOption.resolve(clusterName, in: session)
        let repository = try state.repository(in: session)
        let place = EtcdPlace(name, etcdCluster, in: repository.store)
        if try await place.isThere() { return place }
        _ = try await repository.existing(name)
        guard EtcdClusterConfig.names.contains(etcdCluster) else {
            throw CommandFailure(
                "there is no etcd cluster \(etcdCluster) of \(name)",
                remedy: "--etcd-cluster is one of \(EtcdClusterConfig.names.joined(separator: ", "))"
            )
        }
        return place
    }
}

/// `etcd backups NAME` lists the backups, newest first.
struct EtcdBackupsCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "backups",
        abstract: "List the backups, and whether a trial has restored them."
    )

    @OptionGroup var options: EtcdOptions

    func run(in session: Session) async throws {
        let backups = try await options.place(in: session).backups.list()
        let rows = BackupTable.rows(backups, now: session.now())
        if !rows.isEmpty { session.console.output(Table(BackupTable.columns, rows: rows, isSorted: false).text + "\n") }
        session.console.line(BackupSummary(of: backups).text(now: session.now()))
    }
}
