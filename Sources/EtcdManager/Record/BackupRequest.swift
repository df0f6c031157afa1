// SPDX-License-Identifier: Apache-2.0

/// How often operators have asked for a backup, and how far that is answered.
///
/// Each operator counts one up; a backup answers every request that was counted before it was begun. So operators need not
/// know of each other, and none is given a backup from before his asking.
///
/// - Shape: JSON, `etcd/<name>/backup-request.json`.
public struct BackupRequest: Codable, Sendable, Equatable {
    /// The number of the last request.
    public var asked: Int
    /// The number up to which requests are answered.
    public var answered: Int
    /// The backup that answered last.
    public var backup: BackupName?
    /// Why the last attempt gave no backup; `nil` after one that did.
    public var trouble: String?

    /// Makes a request from its parts.
    public init(asked: Int = 0, answered: Int = 0, backup: BackupName? = nil, trouble: String? = nil) {
        self.asked = asked
        self.answered = answered
        self.backup = backup
        self.trouble = trouble
    }

    /// Whether somebody waits.
    public var isOpen: Bool { answered < asked }
}

extension Slot where Value == BackupRequest {
    /// Whether operators want a backup now; apart from ``command``, so that asking disturbs no restore.
    public static var backupRequest: Slot { Slot("backup-request.json") }
}
