// SPDX-License-Identifier: Apache-2.0
public import KopsModel
public import PKI
public import StateStore
public import SystemPackage

/// Everything a node is built from, acquired before anything is planned; no builder does I/O.
///
/// - Shape: sealed as JSON, mode 0600, at ``path``, from where later runs work without a network.
public struct NodeInputs: Codable, Sendable, Equatable {
    /// Who the machine is.
    public var boot: BootConfig
    /// The generation that tells it.
    public var followed: FollowedGeneration
    /// What it is told.
    public var config: NodeConfig
    /// The only files it may download; `nil` when the cluster is not sealed.
    public var lock: AssetLock?
    /// The private keysets its role may read, by name: `kubernetes-ca`, `etcd-clients-ca`, `front-proxy-ca` and
    /// `service-account` on the control plane, none on workers.
    public var keysets: [String: Keyset]
    /// The token of Kubernetes' TLS bootstrap, `<id>.<secret>`.
    public var bootstrapToken: String
    /// The operators' secrets for machines of its role, by name.
    public var secrets: [String: [UInt8]]
    /// Where the API server answers, for the hosts block; workers learn it from the store.
    public var apiAddresses: [String]
    /// Facts of the machine that decide what is declared.
    public var facts: NodeFacts

    /// Where the sealed inputs are.
    public static let path: FilePath = "/var/lib/kopslite/inputs.json"
    /// Where downloaded assets are, each named by its SHA-256.
    public static let cache: FilePath = "/var/lib/kopslite/assets"

    /// Makes inputs from their parts.
    public init(
        boot: BootConfig,
        followed: FollowedGeneration,
        config: NodeConfig,
        lock: AssetLock? = nil,
        keysets: [String: Keyset],
        bootstrapToken: String,
        secrets: [String: [UInt8]] = [:],
        apiAddresses: [String],
        facts: NodeFacts
    ) {
        self.boot = boot
        self.followed = followed
        self.config = config
        self.lock = lock
        self.keysets = keysets
        self.bootstrapToken = bootstrapToken
        self.secrets = secrets
        self.apiAddresses = apiAddresses
        self.facts = facts
    }
}

/// What a machine is, as far as it decides what is declared.
public struct NodeFacts: Codable, Sendable, Equatable {
    /// The cgroup version that kubelet meets, 1 or 2, where hybrid counts as 1.
    public var cgroupVersion: Int
    /// Whether the machine is a container, where some kernel settings belong to its host.
    public var isContainer: Bool
    /// Whether conntrack's limits can be set here; a network namespace shows them read-only.
    public var conntrackWritable: Bool

    /// Makes facts from their parts.
    public init(cgroupVersion: Int, isContainer: Bool, conntrackWritable: Bool) {
        self.cgroupVersion = cgroupVersion
        self.isContainer = isContainer
        self.conntrackWritable = conntrackWritable
    }
}
