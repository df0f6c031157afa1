// SPDX-License-Identifier: Apache-2.0

/// Everything that was under etcd's version 2 keys at one moment.
///
/// Directories are not in it, for version 3 has none; what expires with a directory expires with its keys.
struct V2Snapshot: Sendable {
    /// A key's value and when it goes away.
    struct Entry: Sendable, Equatable {
        var value: [UInt8]
        /// The number of the change that made it so.
        var modifiedIndex: UInt64
        /// Until when it holds; `nil`: for ever.
        var expiry: Expiry?
    }

    /// When a key goes away.
    struct Expiry: Sendable, Equatable {
        /// Seconds since 1970 by etcd's clock, rounded up.
        var second: Int64
        /// Seconds left when the snapshot was taken, rounded up.
        var remaining: Int64
    }

    /// The number of the last change before it was taken.
    var index: UInt64
    /// When it was asked for, so that what is left of a time is never reckoned too short; by ``MigrationClient/now()``.
    var time: Duration
    /// By the bytes of their paths: two paths that a `String` holds equal are two keys to etcd.
    var entries: [[UInt8]: Entry]

    /// How long a key still holds now, in seconds rounded up.
    func remaining(of expiry: Expiry, now: Duration) -> Int64 {
        expiry.remaining - (now - time).components.seconds
    }

    /// Whether a later snapshot, answered by now, differs only by keys whose time had come.
    func differsByExpiryOnly(from later: V2Snapshot, now: Duration) -> Bool {
        for (key, entry) in later.entries {
            guard let known = entries[key], known.modifiedIndex == entry.modifiedIndex,
                known.expiry?.second == entry.expiry?.second
            else { return false }
        }
        return entries.allSatisfy { key, entry in
            if later.entries[key] != nil { return true }
            // A second more: both times are rounded.
            return entry.expiry.map { remaining(of: $0, now: now) <= 1 } ?? false
        }
    }
}
