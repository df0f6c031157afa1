// SPDX-License-Identifier: Apache-2.0
import NodeOS
public import SystemPackage

/// One etcd member as a systemd unit.
///
/// Pure text: equal values give equal bytes.
///
/// - Source: etcd's configuration flags of 3.4 and 3.5; systemd.exec(5) for the sandbox.
/// - Differs: kops runs etcd in a pod or under etcd-manager; as a unit it needs neither docker nor kubelet.
public struct EtcdUnit: Sendable, Equatable {
    /// `new` begins a cluster where there is no data yet; where there is data etcd ignores it.
    public enum ClusterState: String, Sendable {
        case new
        case existing
    }

    /// A member of the etcd cluster and where its peers reach it.
    public struct Peer: Sendable, Equatable {
        /// The member's name, such as `a`.
        public var name: String
        /// Such as `https://10.0.0.2:2380`.
        public var url: String

        /// Makes a peer.
        public init(name: String, url: String) {
            self.name = name
            self.url = url
        }
    }

    /// Where a member listens, and what it tells others of that.
    public struct Addresses: Sendable, Equatable {
        /// Where it listens for peers, such as `https://10.0.0.2:2380`.
        public var peerListen: String
        /// Where peers reach it whatever machine it is on, such as `https://a.etcd-main.internal.example.com:2380`.
        public var peerURL: String
        /// Where it listens for clients, such as `https://127.0.0.1:2379` and `https://10.0.0.2:2379`.
        public var clientListen: [String]
        /// Where clients reach it, such as `https://10.0.0.2:2379`.
        public var clientURL: String

        /// Makes addresses from their parts.
        public init(peerListen: String, peerURL: String, clientListen: [String], clientURL: String) {
            self.peerListen = peerListen
            self.peerURL = peerURL
            self.clientListen = clientListen
            self.clientURL = clientURL
        }
    }

    /// `main` or `events`.
    public var etcdCluster: String
    /// Such as `3.4.23`.
    public var version: String
    /// This member's name.
    public var member: String
    /// Where it is reached.
    public var addresses: Addresses
    /// The program; under systemd the copy of it that ``EtcdService`` makes, ``program(of:)``.
    public var binary: FilePath
    /// The volume's mount point, the only place etcd may write to.
    public var volume: FilePath
    /// Below `volume`.
    public var dataDirectory: FilePath
    /// The files as etcd's user can read them; `nil`: plain HTTP, for members that only their own machine reaches.
    public var certificates: EtcdCertificates?
    /// Says what cluster is begun or joined; a file, so that this can change without changing the unit.
    public var environmentFile: FilePath

    /// The user it runs as.
    public static let user = "etcd"

    /// Makes a unit from its parts.
    public init(
        etcdCluster: String,
        version: String,
        member: String,
        addresses: Addresses,
        binary: FilePath,
        volume: FilePath,
        dataDirectory: FilePath,
        certificates: EtcdCertificates?,
        environmentFile: FilePath
    ) {
        self.etcdCluster = etcdCluster
        self.version = version
        self.member = member
        self.addresses = addresses
        self.binary = binary
        self.volume = volume
        self.dataDirectory = dataDirectory
        self.certificates = certificates
        self.environmentFile = environmentFile
    }

    /// Where a unit's own copy of etcd is: what a package manager or nodeup puts in its place elsewhere must not run before its release
    /// has been accepted, however often systemd starts the unit anew.
    public static func program(of etcdCluster: String) -> FilePath {
        FilePath("/usr/local/lib/kopslite").appending("etcd-\(etcdCluster)").appending("etcd")
    }

    /// The unit's name, such as `etcd-main.service`.
    public var name: String { "etcd-\(etcdCluster).service" }
    /// Where the unit's file is.
    public var path: FilePath { FilePath("/etc/systemd/system").appending(name) }

    /// etcd's flags; what it begins or joins is in ``environment(_:)``.
    ///
    /// - Units: the quota is 4 GiB, twice etcd's default, where the API server would otherwise go read-only first.
    /// - Throws: ``Failure`` `etcd-version-unsupported` (permanent).
    public func arguments() throws -> [String] {
        let release = try EtcdRelease(version)
        return [
            "--name=\(member)",
            "--data-dir=\(dataDirectory)",
            "--listen-client-urls=\(addresses.clientListen.joined(separator: ","))",
            "--advertise-client-urls=\(addresses.clientURL)",
        ] + (certificates?.clientFlags ?? []) + [
            "--listen-peer-urls=\(addresses.peerListen)",
            "--initial-advertise-peer-urls=\(addresses.peerURL)",
        ] + (certificates?.peerFlags ?? []) + [
            "--quota-backend-bytes=4294967296",
            "--auto-compaction-mode=periodic",
            "--auto-compaction-retention=1h",
        ] + release.flags
    }

    /// What etcd looks at while it has no data: the environment's variables, sorted by name.
    public static func environment(_ start: EtcdStart) -> [(name: String, value: String)] {
        let peers = start.peers.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return [
            ("ETCD_INITIAL_CLUSTER", peers.joined(separator: ",")),
            ("ETCD_INITIAL_CLUSTER_STATE", start.state.rawValue),
            ("ETCD_INITIAL_CLUSTER_TOKEN", start.token),
        ]
    }

    /// The environment file's text.
    public func environment(_ start: EtcdStart) -> String {
        Self.environment(start).map { "\($0.name)=\($0.value)\n" }.joined()
    }

    /// The unit file's text.
    ///
    /// It is started by protokube at each boot, once the volume is mounted, and so is wanted by no target.
    ///
    /// Not `Type=notify`: etcd calls itself ready once its cluster has taken note of it, for which a learner needs all of the data and
    /// a voter a quorum. Under a deadline for that systemd would end what only needs time, and have it begin anew; and whoever
    /// starts the unit would wait as long. Whether etcd serves the manager learns from etcd.
    ///
    /// - Source: etcd's `ReadyNotify`, its issue 13785; systemd.service(5).
    /// - Throws: As ``arguments()``.
    public func text() throws -> String {
        let command = ([binary.string] + (try arguments())).joined(separator: " \\\n    ")
        return """
            [Unit]
            Description=etcd \(etcdCluster), member \(member)
            Documentation=https://etcd.io/docs/
            RequiresMountsFor=\(volume)
            StartLimitIntervalSec=300
            StartLimitBurst=20

            [Service]
            Type=exec
            User=\(Self.user)
            Group=\(Self.user)
            EnvironmentFile=\(environmentFile)
            ExecStart=\(command)
            Restart=always
            RestartSec=2
            TimeoutStopSec=30
            LimitNOFILE=65536
            OOMScoreAdjust=-999
            UMask=0077
            ReadWritePaths=\(volume)
            \(Self.sandbox)

            """
    }

    /// What a database that talks TCP on one host has no use for is taken from it.
    private static let sandbox = """
        ProtectSystem=strict
        ProtectHome=true
        PrivateTmp=true
        PrivateDevices=true
        NoNewPrivileges=true
        CapabilityBoundingSet=
        ProtectKernelTunables=true
        ProtectKernelModules=true
        ProtectKernelLogs=true
        ProtectControlGroups=true
        ProtectClock=true
        ProtectHostname=true
        RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
        RestrictNamespaces=true
        RestrictRealtime=true
        RestrictSUIDSGID=true
        LockPersonality=true
        MemoryDenyWriteExecute=true
        SystemCallArchitectures=native
        SystemCallFilter=@system-service
        """
}
