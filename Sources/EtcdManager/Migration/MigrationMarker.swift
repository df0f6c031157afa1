// SPDX-License-Identifier: Apache-2.0

/// What tells a migration's own keys and leases from those of others, also after a crash.
///
/// Each transaction writes a key of its own beside the copies, so all of them have one revision. A key is a copy of ours
/// exactly when its last change has the revision of such a key.
enum MigrationMarker {
    /// No key of version 2 begins like this: those begin with a slash.
    static let prefix = Array("kopslite/migration/".utf8)

    /// Every key but those of migrations.
    static var others: [EtcdRange] {
        let own = EtcdRange.prefix(prefix)
        return [EtcdRange(key: [0], end: own.key), EtcdRange(key: own.end ?? own.key, end: [0])]
    }

    /// The key whose revision every transaction depends on.
    static let fence = prefix + Array("fence".utf8)

    /// A new marker's key.
    static func key() -> [UInt8] { prefix + Array("batch/\(String(UInt64.random(in: .min ... .max), radix: 16))".utf8) }

    /// The number of the lease of all keys that expire in a second since 1970: known without looking it up.
    static func lease(expiring second: Int64) -> Int64 { leasePrefix | second & (1 << 48 - 1) }

    /// Whether a lease is a migration's.
    static func isLease(_ id: Int64) -> Bool { id & ~(1 << 48 - 1) == leasePrefix }

    /// "ko" in the highest two bytes.
    private static let leasePrefix: Int64 = 0x6B6F << 48
}
