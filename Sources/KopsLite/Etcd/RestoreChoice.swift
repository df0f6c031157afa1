// SPDX-License-Identifier: Apache-2.0
import EtcdManager

/// Which backup etcd can be begun anew from.
struct RestoreChoice {
    let backups: [StoredBackup]
    /// Whose data it must be; `nil`: any that is there.
    let identity: String?
    /// What will serve it; `nil`: nobody knows.
    let release: String?

    /// The backup of a name, or the newest that is proven and can be served.
    ///
    /// - Throws: ``CommandFailure``, `Failure` as ``EtcdManager/BackupRecord/requireServable(by:)`` does.
    func choose(_ name: String?, for clusterName: String) throws -> StoredBackup {
        guard let name else { return try newest(clusterName) }
        let list = "kopslite etcd backups \(clusterName)"
        guard let found = backups.first(where: { $0.name.description == name }) else {
            throw CommandFailure("there is no backup \(name)", remedy: list)
        }
        if let damage = found.damage ?? found.proof?.damage {
            throw CommandFailure("backup \(name) cannot be restored: [\(damage.code)] \(damage)", remedy: list)
        }
        if let identity, found.record?.source.identity != identity {
            throw CommandFailure("backup \(name) is of another cluster than \(identity)", remedy: list)
        }
        if let release { try found.record?.requireServable(by: release) }
        return found
    }

    private func newest(_ clusterName: String) throws -> StoredBackup {
        let proven = backups.filter { backup in
            backup.standing == .proven && (identity.map { backup.record?.source.identity == $0 } ?? true)
        }
        let newestFirst = proven.sorted { $0.name > $1.name }
        if let found = newestFirst.first(where: isServable) { return found }
        // Why the newest cannot be, rather than that there is none.
        if let release { try newestFirst.first?.record?.requireServable(by: release) }
        throw CommandFailure(
            "no backup is proven",
            remedy: "name one with --backup: kopslite etcd backups \(clusterName)"
        )
    }

    private func isServable(_ backup: StoredBackup) -> Bool {
        guard let release, let record = backup.record else { return true }
        do { try record.requireServable(by: release) } catch { return false }
        return true
    }
}
