// SPDX-License-Identifier: Apache-2.0

/// Between which releases of etcd that one is which wrote a member's data last.
///
/// A range, for a start that was begun may not have come about: the data is known to be of one release only once an etcd of
/// it has answered.
public struct ReleaseRange: Codable, Sendable, Equatable {
    /// Such as `3.4.23`.
    public var oldest: String
    /// The same, or a later one.
    public var newest: String

    /// The range of data that one release has served.
    public init(_ release: String) {
        oldest = release
        newest = release
    }

    /// Notes that the data is about to be given to a release.
    mutating func add(_ release: String) { newest = release }
}
