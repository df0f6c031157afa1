// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// Has backups taken before risky steps, beside the looks: a look that waited for one would outlast the lease by which it
/// may decide.
public actor BackupErrand {
    /// The code of the failure that says to come again.
    static let underWay = "etcd-backup-under-way"
    /// How long a backup counts as taken just before a step.
    static let fresh: Duration = .seconds(300)

    private enum Standing {
        case underWay
        case taken(Duration)
        case failed(any Error)
    }

    private let now: @Sendable () -> Duration
    private let aside: @Sendable (@escaping @Sendable () async -> Void) -> Void
    private var standings: [String: Standing] = [:]

    /// Makes one that has taken nothing.
    ///
    /// - Parameters:
    ///   - now: Since any fixed instant, never going back.
    ///   - aside: Has work done beside the looks.
    public init(
        now: @escaping @Sendable () -> Duration,
        aside: @escaping @Sendable (@escaping @Sendable () async -> Void) -> Void
    ) {
        self.now = now
        self.aside = aside
    }

    /// Returns once the backup before a step is there, which is begun where it is not.
    ///
    /// - Parameters:
    ///   - step: Such as `remove c`, for a person.
    ///   - key: Which step of which data that is.
    ///   - work: Takes it.
    /// - Throws: ``Failure`` `etcd-backup-under-way` (waiting) until then; once, what made the last attempt fail.
    func take(before step: String, _ key: String, _ work: @escaping @Sendable () async throws -> Void) throws {
        switch standings[key] {
        case .taken(let time) where now() - time < Self.fresh: return
        case .failed(let error):
            standings[key] = nil
            throw error
        case .underWay: break
        case .taken, nil: begin(key, work)
        }
        throw Failure(
            .waiting,
            code: Self.underWay,
            "a backup before \(step) is being taken",
            hint: "kopslite etcd backups shows it once it is there"
        )
    }

    private func begin(_ key: String, _ work: @escaping @Sendable () async throws -> Void) {
        standings[key] = .underWay
        aside { [weak self] in
            do {
                try await work()
                await self?.end(key, failing: nil)
            } catch {
                await self?.end(key, failing: error)
            }
        }
    }

    private func end(_ key: String, failing error: (any Error)?) {
        standings[key] = error.map { .failed($0) } ?? .taken(now())
    }
}
