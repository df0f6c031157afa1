// SPDX-License-Identifier: Apache-2.0

/// What a machine outside of any Kubernetes cluster is told of its etcd member: the file of `protokube etcd run`.
///
/// - Shape: JSON; a key that is not known is refused.
/// - Note: It holds no secret, only the names of files that do.
public struct EtcdMachine: Sendable, Equatable {
    /// The DNS name under which the members share their part of the state store.
    public var cluster = ""
    /// Which of the cluster's etcd clusters, such as `main`.
    public var name = EtcdClusterConfig.names[0]
    /// The member this machine runs.
    public var member = ""
    /// The machine's name in reports; `nil`: its host name.
    public var machine: String?
    /// The state store's URL, which every member's machine reaches.
    public var store = ""
    /// Every member.
    public var members: [Member] = []
    /// The programs.
    public var etcd = Programs()
    /// Where the member's data is.
    public var volume = Volume()
    /// `nil`: members speak plain HTTP, among themselves on one machine.
    public var certificates: Certificates?
    /// When backups are taken, tried and dropped.
    public var backups = Backups()

    /// A member and where it is reached.
    public struct Member: Sendable, Equatable {
        /// Its name, such as `a`.
        public var name = ""
        /// Where the other members reach it.
        public var peerURL = ""
        /// Where clients and the other machines reach it.
        public var clientURL = ""
        /// Whether it is, or becomes, a member; a machine needs the entry of its own member until that is out.
        public var isPresent = true

        /// Makes a member without any field set.
        public init() {}
    }

    /// The release that runs, and where its programs are.
    public struct Programs: Sendable, Equatable {
        /// Such as `3.5.16`.
        public var version = ""
        /// The absolute path of the directory with `etcd`, `etcdctl` and, for restores, `etcdutl`.
        public var directory = ""

        /// Makes programs without any field set.
        public init() {}
    }

    /// A directory, or a disk.
    public struct Volume: Sendable, Equatable {
        /// The absolute path of a directory that is the member's alone.
        public var directory: String?
        /// The label of a disk that `/etc/kopslite/volumes.json` announces.
        public var label: String?

        /// Makes a volume without any field set.
        public init() {}
    }

    /// The absolute paths of PEM files.
    public struct Certificates: Sendable, Equatable {
        /// Whom members and clients trust.
        public var authority = ""
        /// Whom members trust among themselves, where that is another.
        public var peerAuthority: String?
        /// What members show clients.
        public var serverCertificate = ""
        /// The key to it.
        public var serverKey = ""
        /// What members show each other.
        public var peerCertificate = ""
        /// The key to it.
        public var peerKey = ""
        /// What protokube shows members.
        public var clientCertificate = ""
        /// The key to it.
        public var clientKey = ""

        /// Makes certificates without any field set.
        public init() {}
    }

    /// When backups are taken, tried and dropped; counts and seconds.
    public struct Backups: Sendable, Equatable {
        /// Seconds from one backup to the next.
        public var interval: Int?
        /// Seconds from one trial to the next.
        public var proofInterval: Int?
        /// Of how many hours the best backup is kept.
        public var hourly: Int?
        /// Of how many days.
        public var daily: Int?
        /// Of how many months.
        public var monthly: Int?

        /// Makes the standard.
        public init() {}
    }

    /// Makes a machine without any field set.
    public init() {}

    /// Reads a file's JSON.
    ///
    /// - Parameters:
    ///   - bytes: The JSON.
    ///   - file: What to call it in messages.
    /// - Throws: ``SpecError`` with everything that is wrong with it.
    public init(parsing bytes: [UInt8], name file: String) throws(SpecError) {
        guard let document = try? JSONValue(parsing: bytes) else {
            throw SpecError(subject: file, problems: [SpecProblem(SpecPath(), "is no JSON")])
        }
        var problems: [SpecProblem] = []
        let machine = Self.decoded(from: document, at: SpecPath(), into: &problems)
        problems += machine?.problems ?? []
        guard let machine, problems.isEmpty else { throw SpecError(subject: file, problems: problems) }
        self = machine
    }

    /// The file's JSON.
    public var document: JSONValue { encoded }

    /// The members there are to be, in the file's order.
    public var declared: [String] { members.filter(\.isPresent).map(\.name) }

    /// This machine's own member.
    public var own: Member? { members.first { $0.name == member } }
}
