// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

/// How many backups are kept.
///
/// Each count is of hours, days or months that have a backup, not of those that passed: a cluster that was off for a year
/// still has all of them. Beside these stays what was not taken by the clock, for as long as somebody may miss it.
public struct Retention: Codable, Sendable, Equatable {
    /// Of how many hours the best backup is kept.
    public var hourly: Int
    /// Of how many days.
    public var daily: Int
    /// Of how many months.
    public var monthly: Int

    /// A week of hours, 90 days, a year of months.
    ///
    /// - Source: kops 1.27 and later keep hourly backups for a week and daily ones for 90 days.
    public static let standard = Retention(hourly: 168, daily: 90, monthly: 12)

    /// For how long, in seconds, a backup stays that a step or an operator wanted: a week.
    ///
    /// By the counts alone the next scheduled one would take its place within minutes, and that one no longer holds what a
    /// restore or a removal turns out to have lost.
    public static let wantedAge: Double = 7 * 86_400

    /// Makes a policy; a count below zero is zero.
    public init(hourly: Int, daily: Int, monthly: Int) {
        self.hourly = max(0, hourly)
        self.daily = max(0, daily)
        self.monthly = max(0, monthly)
    }

    /// Which backups need not be kept any longer, oldest first.
    ///
    /// Never among them: the newest, the newest proven one, those that are needed, those younger than ``wantedAge`` that a step
    /// or an operator wanted, and those from the future, where a clock was wrong and nobody knows what they are.
    ///
    /// - Parameters:
    ///   - backups: All that the store lists, in any order.
    ///   - now: The time.
    ///   - needed: What something under way reads, such as a restore.
    /// - Returns: Their names.
    public func expired(_ backups: [StoredBackup], now: Date, needed: Set<BackupName>) -> [BackupName] {
        let past = backups.filter { $0.name.taken <= now }.sorted { $0.name > $1.name }
        var kept = needed
        kept.formUnion(best(of: past, by: \.hour, count: hourly))
        kept.formUnion(best(of: past, by: \.day, count: daily))
        kept.formUnion(best(of: past, by: \.month, count: monthly))
        kept.formUnion([past.first, past.first { $0.standing == .proven }].compactMap { $0?.name })
        kept.formUnion(past.filter { Self.isWanted($0, now: now) }.map(\.name))
        return past.map(\.name).filter { !kept.contains($0) }.reversed()
    }

    private static func isWanted(_ backup: StoredBackup, now: Date) -> Bool {
        guard let reason = backup.record?.reason, reason != .scheduled else { return false }
        return now.timeIntervalSince(backup.name.taken) < wantedAge
    }

    /// The most trusted of each span, and of those the newest, for the newest spans that have any; `backups` are newest first.
    private func best(
        of backups: [StoredBackup],
        by span: (BackupName) -> Substring,
        count: Int
    ) -> [BackupName] {
        var best: [(span: Substring, backup: StoredBackup)] = []
        for backup in backups {
            guard let last = best.last, last.span == span(backup.name) else {
                if best.count == count { break }
                best.append((span(backup.name), backup))
                continue
            }
            if backup.standing > last.backup.standing { best[best.count - 1].backup = backup }
        }
        return best.map(\.backup.name)
    }
}
