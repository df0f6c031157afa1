// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// Copies a running cluster's version 2 keys to version 3, where Kubernetes from 1.13 on keeps its own.
///
/// Values stay as they are, under the same paths; keys that expire get leases of the time they have left. Version 2 is
/// only read, so up to the switch there is always a way back. A crash at any point is made up for by asking again. Keys
/// below a name that begins with `_` stay behind: version 2 lists them to nobody, and Kubernetes has none.
///
/// - Differs: kops stops etcd and runs `etcdctl migrate` on its files; here it serves on, members may come and go.
/// - Units: an expiring key is copied to go away when the original does or up to three seconds later; etcd counts a lease
///   anew when its leader changes.
public struct EtcdMigration: Sendable {
    /// How often version 2 is read again because it changed meanwhile.
    static let rounds = 10
    /// The largest value that fits into a request of etcd's, in bytes.
    static let valueLimit = 1_500_000

    let client: MigrationClient
    let record: any MigrationRecord
    let progress: @Sendable (MigrationProgress) -> Void

    /// Makes a migration.
    ///
    /// - Parameters:
    ///   - gateway: Speaks to the members.
    ///   - endpoints: Where they serve, at least one.
    ///   - record: Where the migration's state is kept.
    ///   - clock: Measures how long keys that expire have left.
    ///   - progress: Hears how far it is.
    public init(
        gateway: EtcdGateway,
        endpoints: [String],
        record: any MigrationRecord,
        clock: any Clock<Duration> = ContinuousClock(),
        progress: @escaping @Sendable (MigrationProgress) -> Void = { _ in }
    ) {
        client = MigrationClient(gateway: gateway, endpoints: endpoints, clock: clock)
        self.record = record
        self.progress = progress
    }

    /// Goes on from wherever it is until every key is copied and compared; does nothing after the switch but tidy up.
    ///
    /// - Throws: ``Failure``: `migration-foreign-keys`, `migration-no-v2`, `migration-other-cluster`,
    ///   `migration-value-not-text`, `migration-value-too-large` (permanent), `migration-source-changes` (waiting);
    ///   ``EtcdError`` when no member answers; what the record throws.
    @discardableResult
    public func run() async throws -> MigrationState {
        var state = try await planned()
        if state.phase == .switched {
            try await tidy()
            return state
        }
        // Before the first key, so that whoever finds a key finds out about it.
        if state.phase != .copying {
            state.phase = .copying
            try await record.write(state)
        }
        let snapshot = try await converge()
        state.phase = .verified
        state.index = snapshot.index
        state.keys = snapshot.entries.count
        try await record.write(state)
        return state
    }

    /// Makes version 3 what counts, once whatever writes version 2 has been stopped.
    ///
    /// Copies what has changed since, and compares every key once more; after that nobody may write version 2.
    ///
    /// - Throws: As ``run()``, and `migration-not-begun` (permanent).
    public func switchOver() async throws {
        guard try await record.read() != nil else {
            throw Failure(
                .permanent,
                code: "migration-not-begun",
                "there is no migration to end",
                hint: "begin one, or it was rolled back"
            )
        }
        var state = try await run()
        guard state.phase != .switched else { return }
        state.phase = .switched
        try await record.write(state)
        try await tidy()
    }

    /// Undoes everything: deletes the copies, and nothing that is not one.
    ///
    /// - Throws: ``Failure`` `migration-switched` (permanent) after the switch; ``EtcdError``; what the record throws.
    public func rollBack() async throws {
        guard let state = try await record.read() else { return }
        guard state.phase != .switched else {
            throw Failure(
                .permanent,
                code: "migration-switched",
                "version 3 has counted since the switch, so its keys are not copies any more",
                hint: "restore a backup from before the switch"
            )
        }
        try await check(state)
        // A moment at which nothing was there: every copy is one too many.
        let nothing = V2Snapshot(index: 0, time: client.now(), entries: [:])
        for _ in 0..<Self.rounds {
            let fence = try await raiseFence()
            let difference = try await compare(nothing)
            progress(.undoing(difference.deletions.count))
            guard !difference.deletions.isEmpty else {
                try await tidy()
                try await revokeLeases()
                return try await record.write(nil)
            }
            try await apply(difference, of: nothing, behind: fence)
        }
        throw sourceChanges("version 3 changes faster than its copies are deleted")
    }

    /// Finds or makes the record, and refuses a cluster whose version 3 is in use.
    private func planned() async throws -> MigrationState {
        if let state = try await record.read() {
            try await check(state)
            return state
        }
        let gateway = client.gateway
        for var range in MigrationMarker.others {
            range.limit = 3
            range.isKeysOnly = true
            let page = try await client.ask { [range] in try await gateway.range(range, at: $0) }
            guard page.pairs.isEmpty else { throw foreign(page.pairs.map(\.key), page.count) }
        }
        // Fails here rather than in the middle, where there is nothing to migrate.
        _ = try await client.ask(gateway.v2Index)
        let state = MigrationState(phase: .planned, clusterID: try await clusterID())
        try await record.write(state)
        return state
    }

    private func check(_ state: MigrationState) async throws {
        let found = try await clusterID()
        guard found == state.clusterID else {
            throw Failure(
                .permanent,
                code: "migration-other-cluster",
                "the migration on record is of cluster \(String(state.clusterID, radix: 16)), "
                    + "and this one is \(String(found, radix: 16))",
                hint: "check the endpoints, and which record is read"
            )
        }
    }

    private func clusterID() async throws -> UInt64 {
        let gateway = client.gateway
        return try await client.ask { try await gateway.status(of: $0).clusterID }
    }

    func foreign(_ keys: [[UInt8]], _ count: Int64? = nil) -> Failure {
        let names = keys.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ")
        return Failure(
            .permanent,
            code: "migration-foreign-keys",
            "version 3 holds \(count.map { "\($0) keys" } ?? "keys") that are no copies, such as \(names)",
            hint: "stop whatever writes version 3; delete the keys if nobody needs them"
        )
    }

    func sourceChanges(_ message: String) -> Failure {
        Failure(
            .waiting,
            code: "migration-source-changes",
            message,
            hint: "stop the API servers that write it"
        )
    }
}
