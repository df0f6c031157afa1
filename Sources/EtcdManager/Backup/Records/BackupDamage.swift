// SPDX-License-Identifier: Apache-2.0
public import NodeOS

/// Why a backup could not be brought back; nothing that passes by waiting.
public struct BackupDamage: Error, Codable, Sendable, Equatable, CustomStringConvertible {
    /// A stable identifier in kebab case, such as `backup-chunk-damaged`.
    public var code: String
    /// What is wrong with it.
    public var description: String

    init(_ code: String, _ description: String) {
        self.code = code
        self.description = description
    }

    /// The same for a run that needed this backup.
    public func failure(of backup: String) -> Failure {
        Failure(
            .permanent,
            code: code,
            "backup \(backup) cannot be used: \(description)",
            hint: "use another backup; `kopslite etcd backups` shows which are proven"
        )
    }
}
