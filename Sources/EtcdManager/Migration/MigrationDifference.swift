// SPDX-License-Identifier: Apache-2.0

/// What version 3 lacks to be equal to a snapshot of version 2.
struct MigrationDifference: Sendable {
    /// A key that is to be written, and the revision that last changed it; 0: it is not there.
    struct Write: Sendable, Equatable {
        var key: [UInt8]
        var modRevision: Int64
    }

    /// Missing, or with another value or lease.
    var writes: [Write] = []
    /// Copies of what version 2 does not have any more.
    var deletions: [Write] = []
    /// Keys that are not copies of ours, the first few by name.
    var foreign: [[UInt8]] = []

    var isEmpty: Bool { writes.isEmpty && deletions.isEmpty && foreign.isEmpty }
}

/// Compares version 3, page by page, with a snapshot.
struct MigrationComparison {
    let snapshot: V2Snapshot
    /// The revisions that are ours.
    let revisions: Set<Int64>
    private var seen: Set<[UInt8]> = []
    private var difference = MigrationDifference()

    init(_ snapshot: V2Snapshot, revisions: Set<Int64>) {
        self.snapshot = snapshot
        self.revisions = revisions
        seen.reserveCapacity(snapshot.entries.count)
    }

    mutating func add(_ pair: EtcdKeyValue) {
        if pair.key.starts(with: MigrationMarker.prefix) { return }
        guard revisions.contains(pair.modRevision) else {
            if difference.foreign.count < 3 { difference.foreign.append(pair.key) }
            return
        }
        let write = MigrationDifference.Write(key: pair.key, modRevision: pair.modRevision)
        guard let entry = snapshot.entries[pair.key] else { return difference.deletions.append(write) }
        seen.insert(pair.key)
        let lease = entry.expiry.map { MigrationMarker.lease(expiring: $0.second) } ?? 0
        if pair.value != entry.value || pair.lease != lease { difference.writes.append(write) }
    }

    /// The difference, once every page was added.
    consuming func finish(now: Duration) -> MigrationDifference {
        for (key, entry) in snapshot.entries where !seen.contains(key) {
            // Both versions let go of a key when its time has come, one a moment before the other.
            if let expiry = entry.expiry, snapshot.remaining(of: expiry, now: now) <= 0 { continue }
            difference.writes.append(MigrationDifference.Write(key: key, modRevision: 0))
        }
        return difference
    }
}
