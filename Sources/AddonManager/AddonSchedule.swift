// SPDX-License-Identifier: Apache-2.0

/// Decides when add-ons are applied: at once when they are new, again every few minutes to keep them true, and sooner
/// after a failure.
public struct AddonSchedule: Sendable, Equatable {
    /// Between two passes that found or made everything as declared.
    public var interval: Duration
    /// After a pass in which an add-on failed.
    public var retry: Duration
    private var generation: Int?
    private var due: Duration

    /// Makes a schedule whose first pass is due at once.
    public init(interval: Duration = .seconds(180), retry: Duration = .seconds(15)) {
        self.interval = interval
        self.retry = retry
        self.due = .zero
    }

    /// Whether a pass is due.
    ///
    /// - Parameters:
    ///   - now: The time since any fixed moment; the same for every call.
    ///   - generation: The generation the add-ons are from.
    /// - Returns: Whether to apply them now.
    public func isDue(at now: Duration, generation: Int) -> Bool { generation != self.generation || now >= due }

    /// Notes a finished pass.
    public mutating func finished(at now: Duration, generation: Int, succeeded: Bool) {
        self.generation = generation
        self.due = now + (succeeded ? interval : retry)
    }
}
