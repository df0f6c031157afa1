// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import EtcdManager
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

    /// The etcd cluster as the store has it.
    func place(in session: Session) async throws -> EtcdPlace {
        let name = try nameOption.resolve(clusterName, in: session)
        let repository = try state.repository(in: session)
        _ = try await repository.existing(name)
        return EtcdPlace(name, etcdCluster, in: repository.store)
    }
}

/// One etcd cluster, seen from the store.
struct EtcdPlace: Sendable {
    let clusterName: String
    let etcdCluster: String
    let registers: StoreRegisters
    let backups: BackupStore

    /// The etcd cluster of a name, in a store.
    init(_ clusterName: String, _ etcdCluster: String, in store: any StateStore) {
        let layout = ClusterLayout(clusterName: clusterName)
        self.clusterName = clusterName
        self.etcdCluster = etcdCluster
        registers = StoreRegisters(layout: layout, etcdCluster: etcdCluster, open: { store })
        backups = BackupStore(store: store, layout: layout, etcdCluster: etcdCluster)
    }

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
        if !rows.isEmpty { session.console.output(Table(BackupTable.columns, rows: rows, isSorted: false).text + "\n") }
        session.console.line(BackupSummary(of: backups).text(now: session.now()))
    }
}
