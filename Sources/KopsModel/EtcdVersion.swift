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

    /// The patch that release 3.5 must have come to before 3.6.
    ///
    /// - Source: etcd's upgrade guide for 3.6, and its issues 19557, 20793 and 20967: 3.5.1 to 3.5.19 do not write into the store
    ///   that 3.6 reads that a learner got its vote, so 3.6 finds too many learners; before 3.5.26 members that were removed may
    ///   be in it still. A later 3.5 puts both right when it starts.
    private static let lastPatchBefore36 = 26

    /// The release that members must come to before this one is given their data; `nil` where they may be of any patch.
    ///
    /// `old` is of the minor before, or of this one.
    public func stop(after old: Self) -> Self? {
        guard (major, minor) == (3, 6), (old.major, old.minor) == (3, 5), old.patch < Self.lastPatchBefore36 else {
            return nil
        }
        return Self(major: 3, minor: 5, patch: Self.lastPatchBefore36)
    }

    private init(major: Int, minor: Int, patch: Int) {
        (self.major, self.minor, self.patch) = (major, minor, patch)
    }

    /// Reads what an etcd says of itself, which may be a build of somebody's, such as `3.5.21-k3s1`.
    public init?(reported text: String) { self.init(String(text.prefix { $0 != "-" && $0 != "+" })) }

    /// Why data of one release is not given to another; `nil` when it can be.
    ///
    /// - Source: etcd's documentation of upgrades and downgrades: one minor at a time, and back not at all.
    public func refusal(after old: Self) -> (message: String, remedy: String)? {
        if self < old {
            return ("\(self) is older than \(old), which its data is of", "write \(old) or a later release")
        }
        let next = "\(old.major).\(old.minor + 1)"
        if major != old.major || minor > old.minor + 1 {
            return ("\(self) skips a minor release after \(old)", "go to a release of \(next) first")
        }
        guard let stop = stop(after: old) else { return nil }
        return (
            "\(self) may take members for learners, or removed ones for members, in data of \(old)",
            "go to \(stop) or a later release of \(stop.major).\(stop.minor) first, on every member"
        )
    }

    /// Number by number.
    public static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }
}
