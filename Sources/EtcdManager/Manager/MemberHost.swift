// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// The machine that a member's volume is attached to, as the manager uses it.
public protocol MemberHost: Sendable {
    /// Looks at the volume and at etcd.
    ///
    /// Looking makes true what everything else rests on: the volume is claimed in the store and on itself, a file system that is ours is
    /// mounted, and a running etcd gets its renewed certificates. On a volume that is another machine's by now etcd is ended.
    ///
    /// - Throws: `Failure` where there is no volume, or one that is not ours.
    func look() async throws -> LocalSight
    /// Makes a file system on a volume that is blank, and mounts it.
    func format() async throws
    /// Puts a note on the volume in the place of the last one, atomically.
    func write(_ note: VolumeNote) async throws
    /// Moves the data away from where etcd finds it, without removing it; only what was set aside before as the same kind goes.
    func setAside(_ kind: SetAside) async throws
    /// Lays the data of a backup where etcd finds it, for a cluster of this one member.
    func lay(backup: String, for start: EtcdStart) async throws
    /// Lets the members' names stand for these addresses on the machine.
    func resolve(_ addresses: [String: String]) async throws
    /// Throws while no program of the declared release could be started: the volume is not to be noted as given to it.
    func checkStart() async throws
    /// Starts etcd, anew where it runs and is not as declared. What runs as declared is left alone.
    func start(_ start: EtcdStart) async throws
    /// Ends etcd; one that does not run is no error.
    func stop() async throws
}

/// What data that is moved out of etcd's way was.
public enum SetAside: String, Sendable {
    /// A member's, which may have served.
    case replaced
    /// A backup's, laid by an attempt at the restore that goes on now: it must not push out what served before.
    case unfinished
}

extension MemberHost {
    /// Nothing: the host runs whatever is declared.
    public func checkStart() async throws {}
}

/// What a member's etcd is started with beyond its machine's settings; etcd looks at it while it has no data.
public struct EtcdStart: Sendable, Equatable {
    /// Whether a cluster is begun, or one is joined.
    public var state: EtcdUnit.ClusterState
    /// The initial cluster token.
    public var token: String
    /// This member's name.
    public var member: String
    /// The members' peer URLs by name, this one's among them.
    public var peers: [String: String]
    /// The release that was found to fit the data; a host that would run another one by now throws instead.
    public var release: String?

    /// Makes a start from its parts.
    public init(
        state: EtcdUnit.ClusterState,
        token: String,
        member: String,
        peers: [String: String],
        release: String? = nil
    ) {
        self.state = state
        self.token = token
        self.member = member
        self.peers = peers
        self.release = release
    }

    /// Refuses to go on with another release than was decided on.
    ///
    /// - Throws: ``Failure`` `etcd-declaration-changed` (transient).
    func requireRelease(_ declared: String) throws {
        guard let release, release != declared else { return }
        throw Failure(
            .transient,
            code: "etcd-declaration-changed",
            "etcd \(declared) is declared since this look began, which found \(release)",
            hint: "the next look, which comes by itself, goes by what is declared then"
        )
    }
}

/// What there is on a machine.
public struct LocalSight: Sendable, Equatable {
    /// The volume.
    public enum Volume: Sendable, Equatable {
        /// Nothing is on it, by three tests, or what this machine left of a file system when it was interrupted at making it.
        case blank
        /// It is mounted; with its note, and whether etcd has data on it.
        case mounted(note: VolumeNote?, hasData: Bool)
    }

    /// etcd's process.
    public enum Process: Sendable, Equatable {
        case stopped
        /// It runs, as it is declared now or as it was declared before; also current where it could not be started as declared.
        case running(isCurrent: Bool)
    }

    /// The volume.
    public var volume: Volume
    /// etcd's process.
    public var process: Process

    /// Makes a sight from its parts.
    public init(volume: Volume, process: Process) {
        self.volume = volume
        self.process = process
    }

    var note: VolumeNote? { if case .mounted(let note, _) = volume { note } else { nil } }
    var hasData: Bool { if case .mounted(_, let hasData) = volume { hasData } else { false } }
    /// The releases that the data may be of; `nil` where there is none, or where they are not known.
    var releases: ReleaseRange? { hasData ? note?.releases : nil }
    var isRunning: Bool { process != .stopped }
    var isCurrent: Bool { process != .running(isCurrent: false) }
}

/// What is declared of an etcd cluster.
public struct EtcdSpec: Sendable, Equatable {
    /// The cluster's DNS name.
    public var clusterName: String
    /// `main` or `events`.
    public var etcdCluster: String
    /// The members' names.
    public var members: [String]
    /// Where each member's peers reach it, whatever machine its volume is attached to.
    ///
    /// Names and no addresses: two members whose volumes swap machines would have to take each other's address, and one that
    /// joins would be taken for the other.
    public var peerURLs: [String: String]
    /// What the peer URL of any other member is made of, its name in the place of `*`; `nil`: there is no other one.
    public var peerURLPattern: String?
    /// The release of etcd, such as `3.4.23`; `nil`: whichever the machines have, which nobody checks then.
    public var release: String?

    /// Makes a declaration from its parts.
    public init(
        clusterName: String,
        etcdCluster: String,
        members: [String],
        peerURLs: [String: String] = [:],
        peerURLPattern: String? = nil,
        release: String? = nil
    ) {
        self.clusterName = clusterName
        self.etcdCluster = etcdCluster
        self.members = members
        self.peerURLs = peerURLs
        self.peerURLPattern = peerURLPattern
        self.release = release
    }

    /// Where peers reach a member, declared or not.
    func peerURL(of member: String) -> String? {
        peerURLs[member]
            ?? peerURLPattern?.split(separator: "*", omittingEmptySubsequences: false).joined(separator: member)
    }

    /// Where peers reach these members.
    func peerURLs(of members: some Sequence<String>) -> [String: String] {
        Dictionary(uniqueKeysWithValues: Set(members).compactMap { name in peerURL(of: name).map { (name, $0) } })
    }
}

/// The backups, as far as decisions need them.
public protocol BackupVault: Sendable {
    /// Whether there is any backup of this etcd cluster, whatever its age.
    func isEmpty() async throws -> Bool
    /// Has one taken now from a member, for a reason that its record shows; returns once it is there.
    ///
    /// - Throws: `Failure` `etcd-backup-under-way` (waiting) where it takes longer than a look may.
    func take(before step: String, from endpoint: String) async throws
}
