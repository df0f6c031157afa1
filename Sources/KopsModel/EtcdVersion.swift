// SPDX-License-Identifier: Apache-2.0

/// An etcd release, such as `3.4.23`.
public struct EtcdVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The first number; 3 of all that are supported.
    public let major: Int
    /// The second number, which decides how data is kept.
    public let minor: Int
    /// The third number.
    public let patch: Int

    /// Reads `major.minor.patch`; `nil` for anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in Int(part).flatMap { String($0) == part && $0 >= 0 ? $0 : nil } }
        guard parts.count == 3, numbers.count == 3 else { return nil }
        (major, minor, patch) = (numbers[0], numbers[1], numbers[2])
    }

    /// `major.minor.patch`.
    public var description: String { "\(major).\(minor).\(patch)" }

    /// Whether machines know how to run it.
    public var isSupported: Bool { major == 3 && (4...6).contains(minor) }

    /// Why data of one release is not given to another; `nil` when it can be.
    ///
    /// - Source: etcd's documentation of upgrades and downgrades: one minor at a time, and back not at all.
    public func refusal(after old: Self) -> (message: String, remedy: String)? {
        if self < old {
            return ("\(self) is older than \(old), which its data is of", "write \(old) or a later release")
        }
        let next = "\(old.major).\(old.minor + 1)"
        guard major != old.major || minor > old.minor + 1 else { return nil }
        return ("\(self) skips a minor release after \(old)", "go to a release of \(next) first")
    }

    /// Number by number.
    public static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }
}
