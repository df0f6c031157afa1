// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
import KopsModel

/// Whether an etcd cluster is backed up as it should be.
///
/// It is not where backups are known to be damaged and none that is newer is proven, nor where none as young as two
/// intervals of proving is proven. A cluster that is younger than that itself, by what its founder wrote into its record, is
/// given the time; one whose age nobody knows is not. What a clock dates into the future tells nothing.
public struct BackupHealth: Sendable, Equatable {
    /// What there is.
    public var summary: BackupSummary
    /// What is wrong; `nil`: nothing.
    public var fault: String?

    /// How far clocks may differ, in seconds.
    private static let slack: Double = 300

    /// Judges what a store lists.
    ///
    /// - Parameters:
    ///   - backups: All of the cluster's, in any order.
    ///   - begun: ``ClusterRecord/begun``.
    ///   - policy: How often backups are tried.
    ///   - now: The time.
    public init(of backups: [StoredBackup], begun: String?, policy: BackupPolicy = .standard, now: Date) {
        summary = BackupSummary(of: backups)
        let limit = 2 * policy.proofInterval
        func age(_ date: Date?) -> Double? {
            date.map(now.timeIntervalSince).flatMap { $0 >= -Self.slack ? max(0, $0) : nil }
        }
        let newest = backups.filter { age($0.name.taken) != nil }.sorted { $0.name > $1.name }
        let proven = newest.first { $0.standing == .proven }?.name
        let damaged = newest.filter { backup in backup.standing == .failed && proven.map { backup.name > $0 } ?? true }
        if let worst = damaged.first {
            let damage = worst.damage ?? worst.proof?.damage
            fault =
                "backup \(worst.name) cannot be restored, and none that is newer is proven:"
                + " [\(damage?.code ?? "unknown")] \(damage?.description ?? "")"
            return
        }
        let ran = age(begun.flatMap { try? Date($0, strategy: .iso8601) })
        guard let since = age(proven?.taken) ?? ran else {
            fault = "no backup is proven, and nobody knows how long etcd has run without"
            return
        }
        guard since > limit else { return }
        fault =
            proven == nil
            ? "no backup is proven, and etcd has run for \(Age.text(since))"
            : "the last proven backup is \(Age.text(since)) old, more than \(Age.text(limit))"
    }
}
