// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
import KopsModel

/// What `kopslite etcd backups` shows; laying it out is the printer's.
public enum BackupTable {
    /// The heading.
    public static let columns = ["NAME", "REASON", "TAKEN", "REVISION", "KEYS", "SIZE", "PROVEN"]

    /// A row for each backup, newest first.
    public static func rows(_ backups: [StoredBackup], now: Date) -> [[String]] {
        backups.sorted { $0.name > $1.name }.map { backup in
            let snapshot = backup.record?.snapshot
            return [
                backup.name.description,
                backup.record?.reason.description ?? "?",
                ago(backup.name.taken, now),
                String(backup.name.revision),
                snapshot?.keys.map { String($0) } ?? "?",
                snapshot.map { size($0.size) } ?? "?",
                proven(backup, now),
            ]
        }
    }

    private static func proven(_ backup: StoredBackup, _ now: Date) -> String {
        if let damage = backup.damage ?? backup.proof?.damage { return "NO: \(damage.code)" }
        return backup.tried.map { ago($0, now) } ?? "never tried"
    }

    private static func ago(_ date: Date, _ now: Date) -> String { "\(Age.text(now.timeIntervalSince(date))) ago" }

    /// Bytes in the largest binary unit that leaves at least 1, with one digit behind the point.
    static func size(_ bytes: Int64) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard bytes >= 1024 else { return "\(bytes) B" }
        var (tenths, unit) = (bytes * 10 / 1024, 0)
        while tenths >= 10_240, unit < units.count - 1 { (tenths, unit) = (tenths / 1024, unit + 1) }
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }
}
