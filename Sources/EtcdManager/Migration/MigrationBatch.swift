// SPDX-License-Identifier: Apache-2.0

/// Changes that go into one transaction, with the marker that makes them known as ours.
///
/// Each change has the condition that nobody has touched its key since it was looked at, so nobody's key is overwritten,
/// and asking twice does no harm. All depend on a fence, so a late one changes nothing.
struct MigrationBatch: Sendable {
    /// etcd takes requests of 1.5 MiB.
    private static let byteLimit = 1_000_000
    /// Two of its conditions are not the changes' own.
    private static let capacity = EtcdTransaction.capacity - 2

    private(set) var transaction: EtcdTransaction
    /// The moments whose leases it needs.
    private(set) var expiries: [V2Snapshot.Expiry] = []
    private var bytes = 0
    private var count = 0

    private init(behind fence: Int64) {
        let marker = MigrationMarker.key()
        transaction = EtcdTransaction(
            conditions: [.modRevision(key: MigrationMarker.fence, fence), .modRevision(key: marker, 0)],
            changes: [.put(key: marker, value: [], lease: 0)]
        )
    }

    /// The batches that make a difference disappear.
    static func batches(
        _ difference: MigrationDifference,
        of snapshot: V2Snapshot,
        behind fence: Int64
    ) -> [MigrationBatch] {
        var batches: [MigrationBatch] = []
        var batch = MigrationBatch(behind: fence)
        func add(_ change: EtcdTransaction.Change, _ write: MigrationDifference.Write, _ size: Int) {
            if batch.count == capacity || batch.count > 0 && batch.bytes + size > byteLimit {
                batches.append(batch)
                batch = MigrationBatch(behind: fence)
            }
            batch.transaction.conditions.append(.modRevision(key: write.key, write.modRevision))
            batch.transaction.changes.append(change)
            batch.bytes += size
            batch.count += 1
        }
        for write in difference.deletions { add(.delete(key: write.key), write, write.key.count) }
        // Keys that expire in one second share a lease, so they are best written together.
        let writes = difference.writes.compactMap { write in snapshot.entries[write.key].map { (write, $0) } }
        for (write, entry) in writes.sorted(by: { ($0.1.expiry?.second ?? 0) < ($1.1.expiry?.second ?? 0) }) {
            let lease = entry.expiry.map { MigrationMarker.lease(expiring: $0.second) } ?? 0
            // The key is in the condition and in the change.
            let size = 2 * write.key.count + entry.value.count
            add(.put(key: write.key, value: entry.value, lease: lease), write, size)
            if let expiry = entry.expiry, batch.expiries.last?.second != expiry.second {
                batch.expiries.append(expiry)
            }
        }
        return batch.count == 0 ? batches : batches + [batch]
    }
}
