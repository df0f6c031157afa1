// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials

extension AgentStatus {
    /// How often protokube writes its report at the least, in seconds, though nothing has changed.
    public static let heartbeat: TimeInterval = 30
    /// How old a report of protokube may become, in seconds: some heartbeats, for a write may be late and clocks differ a little.
    public static let patience: TimeInterval = 4 * heartbeat

    /// How long ago the agent wrote this, in seconds; 0 where its clock is ahead.
    public func age(at now: Date) -> TimeInterval { max(0, now.timeIntervalSince(updated)) }

    /// Whether the agent has ceased to report.
    ///
    /// protokube reports for as long as it runs. nodeup writes during its runs only, so its report may be of any age.
    public func isStale(at now: Date) -> Bool { agent == "protokube" && age(at: now) > Self.patience }
}
