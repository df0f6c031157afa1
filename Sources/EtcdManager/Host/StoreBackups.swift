// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
public import StateStore
import Synchronization

/// The backups of a state store, for the manager's decisions.
public struct StoreBackups: BackupVault {
    private let open: @Sendable () throws -> any StateStore
    private let layout: ClusterLayout
    private let etcdCluster: String
    private let taker: @Sendable (BackupStore) async throws -> BackupTaker
    private let source: @Sendable () async throws -> BackupSource
    private let now: @Sendable () -> Date
    private let attempts = BackupAttempts()
    private let taken = TakenBackups()

    /// For how long, in seconds, a backup before a step is one also for the step's next try.
    ///
    /// One that takes longer than a leader's lease would otherwise be followed by the next for ever: the step is refused to
    /// who must renew its lease first, and the next look would begin with another backup.
    static let validity: Double = 300

    /// Makes the vault of an etcd cluster.
    ///
    /// - Parameters:
    ///   - layout: The cluster's places in the store.
    ///   - etcdCluster: Which of its etcd clusters.
    ///   - open: Opens the store, at each use.
    ///   - taker: Takes a backup into a store.
    ///   - source: Whose data is backed up, as it is recorded now.
    ///   - now: The time.
    public init(
        layout: ClusterLayout,
        etcdCluster: String,
        open: @escaping @Sendable () throws -> any StateStore,
        taker: @escaping @Sendable (BackupStore) async throws -> BackupTaker,
        source: @escaping @Sendable () async throws -> BackupSource,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.open = open
        self.layout = layout
        self.etcdCluster = etcdCluster
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

    /// Takes one now from a member, unless one was taken before the same step just now.
    ///
    /// One that has failed is taken again after ever longer pauses.
    public func take(before step: String, from endpoint: String) async throws {
        let (store, source) = (try store, try await source())
        // Once a restore is done, the same step gives up other data.
        let key = "\(source.epoch) \(step)"
        guard !taken.has(key, at: now()) else { return }
        try await attempts.run(.before(key), pausingAtMost: BackupPolicy.standard.interval, now: now) {
            _ = try await (try await taker(store)).take(
                of: [BackupMember(name: "asked", endpoint: endpoint)],
                source: source,
                reason: .before(step)
            )
        }
        taken.note(key, at: now())
    }
}

/// When backups were taken before which steps.
private final class TakenBackups: Sendable {
    private let times = Mutex<[String: Date]>([:])

    func has(_ step: String, at now: Date) -> Bool {
        times.withLock { times in
            times = times.filter { (0..<StoreBackups.validity).contains(now.timeIntervalSince($0.value)) }
            return times[step] != nil
        }
    }

    func note(_ step: String, at now: Date) { times.withLock { $0[step] = now } }
}
