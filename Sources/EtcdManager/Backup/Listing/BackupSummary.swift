// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
import KopsModel

/// How well an etcd cluster is backed up, for `validate` and a machine's report.
public struct BackupSummary: Codable, Sendable, Equatable {
    /// How many backups there are.
    public var count: Int
    /// When the newest was taken, ISO 8601 in UTC; `nil`: there is none.
    public var newest: String?
    /// When the newest that is proven was taken: what would be lost today is what was written since.
    public var newestProven: String?
    /// The damaged ones, oldest first: name and code.
    public var damaged: [String]

    /// Sums up what a store lists, in any order.
    public init(of backups: [StoredBackup]) {
        let sorted = backups.sorted { $0.name < $1.name }
        count = sorted.count
        newest = sorted.last?.name.taken.formatted(.iso8601)
        newestProven = sorted.last { $0.standing == .proven }?.name.taken.formatted(.iso8601)
        damaged = sorted.compactMap { backup in
            guard backup.standing == .failed else { return nil }
            return "\(backup.name) (\((backup.damage ?? backup.proof?.damage)?.code ?? "unknown"))"
        }
    }

    /// How long ago the newest proven backup was taken, in seconds; `nil`: none is proven.
    public func provenAge(now: Date) -> Double? {
        newestProven.flatMap { try? Date($0, strategy: .iso8601) }.map { max(0, now.timeIntervalSince($0)) }
    }

    /// One line for a person.
    public func text(now: Date) -> String {
        let proven = provenAge(now: now).map { "the last proven is \(Age.text($0)) old" } ?? "none is proven"
        let bad = damaged.isEmpty ? "" : "; damaged: \(damaged.joined(separator: ", "))"
        return "\(count) backup\(count == 1 ? "" : "s"), \(proven)\(bad)"
    }
}
