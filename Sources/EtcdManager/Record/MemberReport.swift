// SPDX-License-Identifier: Apache-2.0

/// What the machine that has a member's volume says of it; only that machine writes it.
///
/// - Shape: JSON, `etcd/<name>/reports/<member>.json`.
public struct MemberReport: Codable, Sendable, Equatable {
    /// What has become of the member's data.
    public enum Data: String, Codable, Sendable {
        /// The volume holds nothing: it may become a member's that is not one yet.
        case none
        /// The volume holds data of an incarnation that is no longer a member.
        case stale
        /// The volume holds data that is not known to be of this cluster: nothing is done with it.
        case foreign
        /// The member's data was there and is gone.
        case lost
        /// The member's data is there, and etcd has not answered from it yet.
        case prepared
        /// The member's data is there and has served.
        case good
    }

    /// The machine.
    public var machine: String
    /// The address of the machine, which the member's name stands for, such as `10.0.0.2`.
    public var address: String
    /// Where clients reach the member, such as `https://10.0.0.2:2379`.
    public var clientURL: String
    /// What has become of its data.
    public var data: Data
    /// Which incarnation the data is of.
    public var incarnation: Int?
    /// Whether its etcd runs.
    public var isRunning: Bool
    /// Whether its etcd runs as it is declared now; a restart is owed otherwise.
    public var isCurrent: Bool
    /// The restore for which it has stopped its etcd.
    public var stoppedFor: String?
    /// The releases of etcd that its data may be of.
    public var releases: ReleaseRange?

    /// Makes a report from its parts.
    public init(
        machine: String,
        address: String,
        clientURL: String,
        data: Data,
        incarnation: Int? = nil,
        isRunning: Bool = false,
        isCurrent: Bool = true,
        stoppedFor: String? = nil,
        releases: ReleaseRange? = nil
    ) {
        self.machine = machine
        self.address = address
        self.clientURL = clientURL
        self.data = data
        self.incarnation = incarnation
        self.isRunning = isRunning
        self.isCurrent = isCurrent
        self.stoppedFor = stoppedFor
        self.releases = releases
    }
}
