// SPDX-License-Identifier: Apache-2.0
import EtcdManager

/// A record in the place of one that was lost, from which a restore goes on.
///
/// Machines begin no cluster where backups are, and so wait for a person. Whoever has reported counts as a voter, so that all of them
/// stop before one begins anew.
struct LostRecord: Sendable {
    /// How many restores since the last backup are allowed for: no volume may hold data of the epoch that is given out next.
    private static let margin = 100

    let record: ClusterRecord

    /// Rebuilds a record.
    ///
    /// - Parameters:
    ///   - chosen: The backup to begin anew from; the cluster's identity is in it.
    ///   - backups: All there are.
    ///   - members: Who has reported.
    ///   - lost: Those who will not come back.
    ///   - command: What identifies the restore.
    ///   - last: The command that the store holds from before, which is not to be done now.
    init?(
        _ chosen: BackupRecord,
        among backups: [StoredBackup],
        members: [String],
        lost: [String],
        command: String,
        last: OperatorCommand?
    ) {
        guard let first = members.first else { return nil }
        var record = ClusterRecord(
            clusterName: chosen.source.clusterName,
            etcdCluster: chosen.source.etcdCluster,
            id: chosen.source.identity,
            founder: first
        )
        record.epoch = (backups.compactMap { $0.record?.source.epoch }.max() ?? 1) + Self.margin
        record.incarnations = members.count
        record.members = Dictionary(
            uniqueKeysWithValues: members.enumerated().map { ($1, MemberRecord(incarnation: $0 + 1, state: .voter)) }
        )
        record.lastCommand = last?.id
        record.operation = .restore(
            Operation.Restore(command: command, backup: chosen.name.description, lost: lost, served: record.epoch)
        )
        self.record = record
    }
}
