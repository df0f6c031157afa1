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
        /// Such as `https://127.0.0.1:2380`.
        public var url: String

        /// Makes a peer.
        public init(name: String, url: String) {
            self.name = name
            self.url = url
        }
    }

    /// `main` or `events`.
    public var etcdCluster: String
    /// Such as `3.4.23`.
    public var version: String
    /// This member's name.
    public var member: String
    /// All members, this one among them.
    public var peers: [Peer]
    /// The identity's `id`: members of another cluster refuse each other by it.
    public var token: String
    /// The program.
    public var binary: FilePath
    /// The volume's mount point, the only place etcd may write to.
    public var volume: FilePath
    /// Below `volume`.
    public var dataDirectory: FilePath
    /// The files as etcd's user can read them.
    public var certificates: EtcdCertificates
    /// Where clients reach it, such as `https://127.0.0.1:2379`.
    public var clientURL: String
    /// Says whether a cluster is begun; a file, so that this can change without changing the unit.
    public var environmentFile: FilePath

    /// The user it runs as.
    public static let user = "etcd"

    /// Makes a unit from its parts.
    public init(
        etcdCluster: String,
        version: String,
        member: String,
        peers: [Peer],
        token: String,
        binary: FilePath = "/opt/etcd/etcd",
        volume: FilePath,
        dataDirectory: FilePath,
        certificates: EtcdCertificates,
        clientURL: String = "https://127.0.0.1:2379",
        environmentFile: FilePath
    ) {
        self.etcdCluster = etcdCluster
        self.version = version
        self.member = member
        self.peers = peers
        self.token = token
        self.binary = binary
        self.volume = volume
        self.dataDirectory = dataDirectory
        self.certificates = certificates
        self.clientURL = clientURL
        self.environmentFile = environmentFile
    }

    /// The unit's name, such as `etcd-main.service`.
    public var name: String { "etcd-\(etcdCluster).service" }
    /// Where the unit's file is.
    public var path: FilePath { FilePath("/etc/systemd/system").appending(name) }

    /// etcd's flags; `--initial-cluster-state` is in ``environment(_:)``.
    ///
    /// - Units: the quota is 4 GiB, twice etcd's default, where the API server would otherwise go read-only first.
    /// - Throws: ``Failure`` `etcd-version-unsupported`, `etcd-member-unknown` (permanent).
    public func arguments() throws -> [String] {
        let release = try EtcdRelease(version)
        guard let own = peers.first(where: { $0.name == member }) else {
            throw Failure(
                .permanent,
                code: "etcd-member-unknown",
                "member \(member) is none of etcd \(etcdCluster)'s members \(peers.map(\.name).joined(separator: ", "))"
            )
        }
        return [
            "--name=\(member)",
            "--data-dir=\(dataDirectory)",
            "--listen-client-urls=\(clientURL)",
            "--advertise-client-urls=\(clientURL)",
            "--client-cert-auth=true",
            "--trusted-ca-file=\(certificates.authority)",
            "--cert-file=\(certificates.serverCertificate)",
            "--key-file=\(certificates.serverKey)",
            "--listen-peer-urls=\(own.url)",
            "--initial-advertise-peer-urls=\(own.url)",
            "--peer-client-cert-auth=true",
            "--peer-trusted-ca-file=\(certificates.authority)",
            "--peer-cert-file=\(certificates.peerCertificate)",
            "--peer-key-file=\(certificates.peerKey)",
            "--initial-cluster=\(peers.map { "\($0.name)=\($0.url)" }.joined(separator: ","))",
            "--initial-cluster-token=\(token)",
            "--quota-backend-bytes=4294967296",
            "--auto-compaction-mode=periodic",
            "--auto-compaction-retention=1h",
        ] + release.flags
    }

    /// The environment file's text.
    public func environment(_ state: ClusterState) -> String { "ETCD_INITIAL_CLUSTER_STATE=\(state.rawValue)\n" }

    /// The unit file's text.
    ///
    /// It is started by protokube at each boot, once the volume is mounted, and so is wanted by no target.
    ///
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
            Type=notify
            User=\(Self.user)
            Group=\(Self.user)
            EnvironmentFile=\(environmentFile)
            ExecStart=\(command)
            Restart=always
            RestartSec=2
            TimeoutStartSec=90
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
