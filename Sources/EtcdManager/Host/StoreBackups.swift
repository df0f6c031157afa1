// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
public import StateStore

/// The backups of a state store, for the manager's decisions.
public struct StoreBackups: BackupVault {
    private let open: @Sendable () throws -> any StateStore
    private let layout: ClusterLayout
    private let etcdCluster: String
    private let errand: BackupErrand
    private let taker: @Sendable (BackupStore) async throws -> BackupTaker
    private let source: @Sendable () async throws -> BackupSource
    private let now: @Sendable () -> Date
    private let attempts = BackupAttempts()

    /// Makes the vault of an etcd cluster.
    ///
    /// - Parameters:
    ///   - layout: The cluster's places in the store.
    ///   - etcdCluster: Which of its etcd clusters.
    ///   - open: Opens the store, at each use.
    ///   - errand: Has it taken beside the looks.
    ///   - taker: Takes a backup into a store.
    ///   - source: Whose data is backed up, as it is recorded now.
    ///   - now: The time.
    public init(
        layout: ClusterLayout,
        etcdCluster: String,
        open: @escaping @Sendable () throws -> any StateStore,
        errand: BackupErrand,
        taker: @escaping @Sendable (BackupStore) async throws -> BackupTaker,
        source: @escaping @Sendable () async throws -> BackupSource,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.open = open
        self.layout = layout
        self.etcdCluster = etcdCluster
        self.errand = errand
        self.taker = taker
        self.source = source
        self.now = now
    }

    private var store: BackupStore {
        get throws { BackupStore(store: try open(), layout: layout, etcdCluster: etcdCluster) }
    }

    /// Whether there is nothing of a backup: a damaged or unfinished one, too, tells that there was a cluster.
    public func isEmpty() async throws -> Bool {
        try await open().list(try layout.backups(of: etcdCluster)).isEmpty
    }

    /// Has one taken now from a member, beside the looks; one that has failed is taken again after ever longer pauses.
    public func take(before step: String, from endpoint: String) async throws {
        let (store, source) = (try store, try await source())
        // Once a restore is done, the same step gives up other data.
        let key = "\(source.epoch) \(step)"
        try await errand.take(before: step, key) {
            try await attempts.run(.before(key), pausingAtMost: BackupPolicy.standard.interval, now: now) {
                _ = try await (try await taker(store)).take(
                    of: [BackupMember(name: "asked", endpoint: endpoint)],
                    source: source,
                    reason: .before(step)
                )
            }
        }
    }
}
