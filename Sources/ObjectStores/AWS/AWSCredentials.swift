// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// What requests to AWS are signed with.
struct AWSCredentials: Sendable, Equatable, CustomStringConvertible {
    var accessKey: String
    var secretKey: String
    /// Goes with temporary keys.
    var sessionToken: String?
    /// When temporary keys end.
    var expires: Date?

    /// Never the keys.
    var description: String { "<credentials \(accessKey.prefix(4))…>" }
}
