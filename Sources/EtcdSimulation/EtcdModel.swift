// SPDX-License-Identifier: Apache-2.0
import EtcdManager

/// What etcd keeps on a disk: how far it has the log of which cluster, as which member.
struct EtcdDisk: Sendable, Equatable {
    var cluster: Int
    var memberID: UInt64
    /// How many entries of the cluster's log it has.
    var index: Int
    /// The release that wrote it last.
    var minor: Int
}

/// What members are to run with.
struct Declaration: Sendable, Equatable {
    /// Flags and the like, which may change as they please.
    var settings = 1
    /// The release: `3.<minor>`.
    var minor = 4

    /// Of a patch that the next minor may follow.
    var release: String { "3.\(minor).30" }
}

/// A running etcd.
struct EtcdProcess: Sendable {
    var release: Declaration
    var member: String
}

/// The members of a cluster as its log says.
struct Configuration: Sendable, Equatable {
    var voters: Set<UInt64>
    var learners: Set<UInt64>
    var urls: [UInt64: String]
    var names: [UInt64: String] = [:]

    var quorum: Int { MembershipView.quorum(of: voters.count) }
}

/// One cluster's log, as far as it is agreed on.
struct EtcdLog: Sendable {
    enum Entry: Sendable {
        case write(Int)
        case configuration(Configuration)
    }

    var token: String
    var entries: [Entry]
    var leader: UInt64 = 0

    /// The members as somebody knows them who has only the beginning of the log.
    func configuration(at index: Int) -> Configuration? {
        for entry in entries.prefix(index).reversed() {
            if case .configuration(let configuration) = entry { return configuration }
        }
        return nil
    }

    func writes(upTo index: Int) -> Set<Int> {
        var writes: Set<Int> = []
        for case .write(let number) in entries.prefix(index) { writes.insert(number) }
        return writes
    }
}

/// Every etcd cluster there ever was, and what clients were promised.
///
/// Consensus is taken for granted: entries are agreed on by a quorum of those that have them all. What the manager may get
/// wrong is who counts as a quorum: members without their data, of another cluster, or added past their count. Then a quorum
/// forms that lacks what was agreed on, and that is seen here.
struct EtcdModel: Sendable {
    var logs: [EtcdLog] = []
    /// The one cluster that clients may be served by.
    var lawful: Int?
    /// The writes that clients were told are kept.
    var acknowledged: Set<Int> = []
    var lastWrite = 0
    var lastMemberID: UInt64 = 0
}
