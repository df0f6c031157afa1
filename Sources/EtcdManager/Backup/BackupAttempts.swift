// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import Synchronization

/// What has failed lately, so that it is not done again at once at full cost; whoever keeps backups holds one for as long as
/// the process lives.
///
/// A snapshot, its upload and a trial load the disk and the network that etcd needs, and what they failed of rarely is over
/// within a minute.
public final class BackupAttempts: Sendable {
    /// What is tried; each fails for itself.
    enum Work: Hashable {
        case scheduled
        case proofs
        case before(String)
        case asked(Int)
    }

    private struct Trouble {
        var count = 0
        var since = Date.distantPast
        var error: any Error

        /// Whether it is too early to try again; a clock that was set back holds nothing up.
        func holds(at now: Date, atMost longest: Double) -> Bool {
            let delay = min(longest, BackupAttempts.shortest * Double(1 << min(count - 1, 20)))
            return (0..<delay).contains(now.timeIntervalSince(since))
        }
    }

    private struct State {
        var troubles: [Work: Trouble] = [:]
        var untried: [BackupName: Int] = [:]
    }

    /// The pause after the first failure in seconds; each further one doubles it.
    static let shortest: Double = 60

    private let state = Mutex(State())

    /// Makes one that knows of no failure.
    public init() {}

    /// Does something unless it has failed just now; then it fails again as it did, so that its error does not fall silent.
    ///
    /// What is waited for costs nothing and is looked for each time.
    ///
    /// - Parameters:
    ///   - work: What it is.
    ///   - longest: The longest pause, in seconds.
    ///   - now: The time.
    ///   - body: Does it.
    /// - Returns: What `body` does.
    /// - Throws: What `body` throws, or has thrown the last time.
    func run<Value>(
        _ work: Work,
        pausingAtMost longest: Double,
        now: () -> Date,
        _ body: () async throws -> Value
    ) async throws -> Value {
        let last = state.withLock { $0.troubles[work] }
        if let last, last.holds(at: now(), atMost: longest) { throw last.error }
        do {
            let value = try await body()
            state.withLock { $0.troubles[work] = nil }
            return value
        } catch {
            if !(error is CancellationError), (error as? Failure)?.kind != .waiting {
                let trouble = Trouble(count: (last?.count ?? 0) + 1, since: now(), error: error)
                state.withLock { $0.troubles[work] = trouble }
            }
            throw error
        }
    }

    /// How often in a row each backup could not be tried, of those that there are.
    func failures(of backups: [StoredBackup]) -> [BackupName: Int] {
        let names = Set(backups.map(\.name))
        return state.withLock { state in
            state.untried = state.untried.filter { names.contains($0.key) }
            return state.untried
        }
    }

    /// Notes whether a backup could be tried, whatever came of it.
    func note(_ name: BackupName, couldBeTried: Bool) {
        state.withLock { $0.untried[name] = couldBeTried ? nil : ($0.untried[name] ?? 0) + 1 }
    }
}
