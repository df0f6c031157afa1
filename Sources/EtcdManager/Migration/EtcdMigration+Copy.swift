// SPDX-License-Identifier: Apache-2.0
import NodeOS

extension EtcdMigration {
    /// How many transactions are under way at once.
    private static let width = 4

    /// Copies until a comparison of every key finds no difference and version 2 has not changed meanwhile.
    ///
    /// Returns what version 3 is equal to.
    func converge() async throws -> V2Snapshot {
        let gateway = client.gateway
        var snapshot = try await client.snapshot()
        for _ in 0..<Self.rounds {
            try check(snapshot)
            let fence = try await raiseFence()
            let difference = try await compare(snapshot)
            guard difference.foreign.isEmpty else { throw foreign(difference.foreign) }
            progress(.compared(snapshot.entries.count, difference.writes.count, difference.deletions.count))
            if difference.isEmpty {
                let index = try await client.ask(gateway.v2Index)
                if index == snapshot.index { return snapshot }
                let later = try await client.snapshot()
                if snapshot.differsByExpiryOnly(from: later, now: client.now()) { return later }
                snapshot = later
            } else {
                try await apply(difference, of: snapshot, behind: fence)
                snapshot = try await client.snapshot()
            }
        }
        throw sourceChanges("version 2 changes faster than it is copied")
    }

    /// Makes sure that no transaction of before is done any more, such as one whose answer never came, and returns the
    /// revision that those from now on depend on.
    func raiseFence() async throws -> Int64 {
        let gateway = client.gateway
        return try await client.ask { try await gateway.put(MigrationMarker.fence, [], at: $0) }
    }

    /// What version 3 lacks, looked at as of one revision.
    func compare(_ snapshot: V2Snapshot) async throws -> MigrationDifference {
        let gateway = client.gateway
        return try await client.ask { endpoint in
            var revisions: Set<Int64> = []
            var markers = EtcdRange.prefix(MigrationMarker.prefix)
            markers.isKeysOnly = true
            let revision = try await gateway.pages(markers, at: endpoint) { page in
                revisions.formUnion(page.pairs.map(\.modRevision))
            }
            var comparison = MigrationComparison(snapshot, revisions: revisions)
            var all = EtcdRange.all
            all.revision = revision
            try await gateway.pages(all, at: endpoint) { page in
                for pair in page.pairs { comparison.add(pair) }
            }
            return comparison.finish(now: client.now())
        }
    }

    /// Makes a difference disappear, but for what is changed by somebody else meanwhile.
    func apply(
        _ difference: MigrationDifference,
        of snapshot: V2Snapshot,
        behind fence: Int64
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, batch) in MigrationBatch.batches(difference, of: snapshot, behind: fence).enumerated() {
                if number >= Self.width { try await group.next() }
                group.addTask { try await commit(batch, of: snapshot) }
            }
            try await group.waitForAll()
        }
    }

    private func commit(_ batch: MigrationBatch, of snapshot: V2Snapshot) async throws {
        let gateway = client.gateway
        do {
            for expiry in batch.expiries { try await grant(expiry, of: snapshot) }
            // Whether it was done shows in the next comparison, and so does whether an unanswered one was.
            _ = try await client.ask { try await gateway.commit(batch.transaction, at: $0) }
        } catch EtcdError.rejected(_, let reason) where reason.hasSuffix("requested lease not found") {
            // Its time came in between; the next reading of version 2 is without those keys.
        }
    }

    private func grant(_ expiry: V2Snapshot.Expiry, of snapshot: V2Snapshot) async throws {
        let gateway = client.gateway
        // Of keys that share it, one may have a second more left than another.
        let seconds = max(1, snapshot.remaining(of: expiry, now: client.now()) + 1)
        do {
            _ = try await client.ask { endpoint in
                let id = MigrationMarker.lease(expiring: expiry.second)
                return try await gateway.grantLease(id: id, seconds: seconds, at: endpoint)
            }
        } catch EtcdError.rejected(_, let reason) where reason.hasSuffix("lease already exists") {}
    }

    private func check(_ snapshot: V2Snapshot) throws {
        guard let (key, entry) = snapshot.entries.first(where: { $0.value.value.count > Self.valueLimit }) else {
            return
        }
        throw Failure(
            .permanent,
            code: "migration-value-too-large",
            "the value of \(String(decoding: key, as: UTF8.self)) has \(entry.value.count) bytes; "
                + "version 3 takes \(Self.valueLimit)",
            hint: "delete the key or shorten its value"
        )
    }

    /// Deletes the markers: what is copied is nobody's copy any more, or gone.
    func tidy() async throws {
        let gateway = client.gateway
        _ = try await client.ask { try await gateway.deletePrefix(MigrationMarker.prefix, at: $0) }
    }

    /// Ends the leases that no key has any more, rather than let them run out.
    func revokeLeases() async throws {
        let gateway = client.gateway
        for id in try await client.ask(gateway.leases) where MigrationMarker.isLease(id) {
            try await client.ask { try await gateway.revokeLease(id, at: $0) }
        }
    }
}
