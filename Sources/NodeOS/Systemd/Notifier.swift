// SPDX-License-Identifier: Apache-2.0
import CSystemd

/// Tells the service manager how this program is doing (sd_notify(3)); nothing happens where it does not listen.
public struct Notifier: Sendable {
    private let send: @Sendable (String) -> Void

    /// Makes a notifier.
    public init() { self.init { sd_notify(0, $0) } }

    /// Makes one that hands its words to another listener, for tests.
    init(send: @escaping @Sendable (String) -> Void) { self.send = send }

    /// The service is ready, with a line for `systemctl status`.
    public func ready(_ status: String) { send("READY=1\nSTATUS=\(Self.line(status))") }

    /// What the service is doing, as a line for `systemctl status`.
    public func status(_ text: String) { send("STATUS=\(Self.line(text))") }

    /// The service is alive: due at least once in each ``watchdogInterval``, better twice.
    public func alive() { send("WATCHDOG=1") }

    /// The service is ending.
    public func stopping() { send("STOPPING=1") }

    /// Gives a start that takes long more time, counted from now (`EXTEND_TIMEOUT_USEC`).
    public func extendTimeout(by duration: Duration) {
        send("EXTEND_TIMEOUT_USEC=\(duration.components.seconds * 1_000_000)")
    }

    /// After how long without ``alive()`` the service manager ends the service; `nil` when it does not watch.
    public var watchdogInterval: Duration? {
        var microseconds: UInt64 = 0
        guard sd_watchdog_enabled(0, &microseconds) > 0, microseconds > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }

    /// A newline would begin another variable.
    private static func line(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }
}
