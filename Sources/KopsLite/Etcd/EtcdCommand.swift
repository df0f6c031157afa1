// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import EtcdManager
import StateStore

/// `etcd …` shows a cluster's etcd and its backups, and has it begun anew from one of them.
struct EtcdCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "etcd",
        abstract: "Show a cluster's etcd and its backups; restore one.",
        subcommands: [EtcdStatusCommand.self, EtcdBackupsCommand.self, EtcdRestoreCommand.self]
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

    /// The etcd cluster as the store has it.
    func place(in session: Session) async throws -> EtcdPlace {
        let name = try nameOption.resolve(clusterName, in: session)
        let repository = try state.repository(in: session)
        _ = try await repository.existing(name)
        let (store, layout) = (repository.store, ClusterLayout(clusterName: name))
        return EtcdPlace(
            clusterName: name,
            etcdCluster: etcdCluster,
            registers: StoreRegisters(layout: layout, etcdCluster: etcdCluster, open: { store }),
            backups: BackupStore(store: store, layout: layout, etcdCluster: etcdCluster)
        )
    }
}

/// One etcd cluster, seen from the store.
struct EtcdPlace: Sendable {
    let clusterName: String
    let etcdCluster: String
    let registers: StoreRegisters
    let backups: BackupStore

    /// What is agreed of it.
    ///
    /// - Throws: ``CommandFailure`` where it was never begun.
    func record() async throws -> ClusterRecord {
        guard let record = try await registers.read(.record)?.value else {
            throw CommandFailure(lines: ["etcd \(clusterName)/\(etcdCluster) has not been begun yet"], exitCode: 1)
        }
        return record
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
        if !rows.isEmpty { session.console.output(Table(BackupTable.columns, rows: rows).text + "\n") }
        session.console.line(BackupSummary(of: backups).text(now: session.now()))
    }
}
