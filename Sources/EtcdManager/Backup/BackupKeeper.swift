// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

/// When backups are taken and tried, and how long they are kept.
public struct BackupPolicy: Codable, Sendable, Equatable {
    /// Seconds from one backup to the next.
    public var interval: Double
    /// Seconds from one trial to the next.
    public var proofInterval: Double
    /// Which are kept.
    public var retention: Retention

    /// A backup each quarter of an hour, as kops takes them, and a trial a day.
    public static let standard = BackupPolicy(interval: 900, proofInterval: 86_400, retention: .standard)

    /// Makes a policy.
    public init(interval: Double, proofInterval: Double, retention: Retention) {
        self.interval = interval
        self.proofInterval = proofInterval
        self.retention = retention
    }

    /// Whether the newest backup is old enough for another; one from the future does not put it off.
    func isBackupDue(_ backups: [StoredBackup], now: Date) -> Bool {
        let newest = backups.map(\.name.taken).filter { $0 <= now }.max()
        return newest.map { now.timeIntervalSince($0) >= interval } ?? true
    }

    /// Whether something is there to be tried, and the last trial is long enough ago, or has found damage that a newer
    /// backup may be free of.
    func isProofDue(_ backups: [StoredBackup], now: Date) -> Bool {
        guard !backups.isEmpty else { return false }
        let newest = backups.sorted { $0.name > $1.name }
        if newest.first?.standing == .unproven, newest.first(where: { $0.standing != .unproven })?.standing == .failed {
            return true
        }
        let last = backups.compactMap(\.tried).filter { $0 <= now }.max()
        return last.map { now.timeIntervalSince($0) >= proofInterval } ?? true
    }
}

/// Keeps one etcd cluster backed up, a pass at a time; what is due follows from what the store lists, so that nothing is
/// forgotten by a restart, and a leader goes on where another one stopped.
public struct BackupKeeper: Sendable {
    /// What a pass did.
    public struct Pass: Sendable {
        /// The backup that was taken.
        public var taken: BackupName?
        /// What was tried, with its proof; a damaged one is to be reported.
        public var tried: [StoredBackup] = []
        /// What was removed, pieces of unfinished ones among it.
        public var removed: [BackupName] = []
        /// What went wrong, by step; the other steps were done all the same.
        public var failures: [any Error] = []
        /// How well the cluster is backed up now.
        public var summary: BackupSummary
    }

    /// The longest pause between trials that fail, in seconds.
    static let longestProofPause: Double = 3600

    /// Pieces without a record that are older, in seconds, belong to nobody who still writes.
    static let garbageAge: Double = 86_400

    private let backups: BackupStore
    private let taker: BackupTaker
    private let prover: BackupProver
    private let policy: BackupPolicy
    private let attempts: BackupAttempts
    private let now: @Sendable () -> Date

    /// Makes a keeper; `attempts` outlives it.
    public init(
        backups: BackupStore,
        taker: BackupTaker,
        prover: BackupProver,
        policy: BackupPolicy = .standard,
        attempts: BackupAttempts = BackupAttempts(),
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.backups = backups
        self.taker = taker
        self.prover = prover
        self.policy = policy
        self.attempts = attempts
        self.now = now
    }

    /// Does what is due; call it every minute, on the leader only.
    ///
    /// What has failed is done again after ever longer pauses, in which it stays among the failures.
    ///
    /// - Parameters:
    ///   - members: Who can be asked.
    ///   - source: Whose data it is.
    ///   - needed: The backups that something under way reads; they stay.
    /// - Returns: What was done, and what was not.
    /// - Throws: ``StoreError`` where the backups cannot be listed.
    public func pass(
        of members: [BackupMember],
        source: BackupSource,
        needed: Set<BackupName> = []
    ) async throws -> Pass {
        var pass = Pass(summary: BackupSummary(of: []))
        if policy.isBackupDue(try await backups.list(), now: now()) {
            await attempt(&pass) {
                $0.taken = try await attempts.run(.scheduled, pausingAtMost: policy.interval, now: now) {
                    try await taker.take(of: members, source: source, reason: .scheduled).name
                }
            }
        }
        if policy.isProofDue(try await backups.list(), now: now()) {
            await attempt(&pass) { pass in
                try await attempts.run(.proofs, pausingAtMost: Self.longestProofPause, now: now) {
                    try await prover.proveDue(after: attempts, into: &pass.tried)
                }
            }
        }
        await attempt(&pass) {
            let expired = policy.retention.expired(try await backups.list(), now: now(), needed: needed)
            for name in expired {
                try await backups.delete(name)
                $0.removed.append(name)
            }
            $0.removed += try await backups.sweep(takenBefore: now().addingTimeInterval(-Self.garbageAge))
        }
        pass.summary = BackupSummary(of: try await backups.list())
        return pass
    }

    private func attempt(_ pass: inout Pass, _ step: (inout Pass) async throws -> Void) async {
        do { try await step(&pass) } catch { pass.failures.append(error) }
    }
}
