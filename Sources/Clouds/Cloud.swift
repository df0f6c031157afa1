// SPDX-License-Identifier: Apache-2.0
public import FoundationEssentials
public import KopsModel

/// Where machines come from.
///
/// One protocol, one folder for each cloud.
///
/// What a cloud must hold is declared as tasks of the same engine that converges a machine, so a plan of cloud
/// objects prints, applies and fails as a plan of a node does.
public protocol Cloud: Sendable {
    /// The name used in specifications, such as `local`.
    var name: String { get }
    /// What exists now for a cluster.
    func inventory(of clusterName: String) async throws -> CloudInventory
    /// What would change to make the cloud hold `desired`, as lines `create machine nodes-1`, sorted; empty: nothing.
    func plan(_ desired: DesiredCloud) async throws -> [CloudChange]
    /// Makes the cloud hold `desired`; machines that exist are left running.
    func apply(_ desired: DesiredCloud, progress: @Sendable (CloudChange) -> Void) async throws
    /// Removes everything of a cluster, without trace. Safe to repeat.
    func delete(_ clusterName: String, progress: @Sendable (CloudChange) -> Void) async throws
}

/// Everything a cluster needs from a cloud.
public struct DesiredCloud: Sendable, Equatable {
    /// The cluster the objects belong to.
    public var clusterName: String
    /// The machines' own network, such as `10.3.0.0/24`.
    public var networkCIDR: String
    /// The local paths machines must see, such as the state store's directory; used by the local cloud.
    public var store: String
    /// Where machines download from; a directory of this host is shown to local machines.
    public var fileRepository: String
    /// The machines.
    public var machines: [DesiredMachine]
    /// The volumes.
    public var volumes: [DesiredVolume]

    /// Makes a value from its parts.
    public init(
        clusterName: String,
        networkCIDR: String,
        store: String,
        fileRepository: String,
        machines: [DesiredMachine],
        volumes: [DesiredVolume]
    ) {
        self.clusterName = clusterName
        self.networkCIDR = networkCIDR
        self.store = store
        self.fileRepository = fileRepository
        self.machines = machines
        self.volumes = volumes
    }
}

/// One machine.
public struct DesiredMachine: Sendable, Equatable {
    /// Unique in the cluster; also the host name.
    public var name: String
    /// The instance group's name.
    public var instanceGroup: String
    /// What the machine does in the cluster.
    public var role: InstanceRole
    /// The zone it is in.
    public var zone: String
    /// Makes the user-data once the cloud has given the machine an address.
    public var userData: UserDataTemplate
    /// What only root of the machine may read; the cloud puts it there outside of user-data.
    public var confidential: [ConfidentialFile]

    /// Makes a value from its parts.
    public init(
        name: String,
        instanceGroup: String,
        role: InstanceRole,
        zone: String,
        userData: UserDataTemplate,
        confidential: [ConfidentialFile] = []
    ) {
        self.name = name
        self.instanceGroup = instanceGroup
        self.role = role
        self.zone = zone
        self.userData = userData
        self.confidential = confidential
    }
}

/// A file that holds a secret.
public struct ConfidentialFile: Sendable, Equatable, CustomStringConvertible {
    /// An absolute path on the machine.
    public var path: String
    /// Its bytes.
    public var bytes: [UInt8]

    /// Makes a value from its parts.
    public init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    /// Never the bytes.
    public var description: String { path }
}

/// User-data with placeholders `{{INSTANCE}}` and `{{ADDRESS}}` for what only the cloud knows.
public struct UserDataTemplate: Sendable, Equatable {
    /// The text with its placeholders.
    public var text: String

    /// Makes a template from its text.
    public init(_ text: String) { self.text = text }

    /// The text for one machine.
    ///
    /// One pass from the left: what is put in is never searched again, so a name that looks like a placeholder stays
    /// a name. Unknown placeholders stay as they are, for user-data may hold templates of its own.
    public func filled(instance: String, address: String) -> String {
        let values = ["{{INSTANCE}}": instance, "{{ADDRESS}}": address]
        var result = ""
        var rest = text[...]
        while !rest.isEmpty {
            if let (placeholder, value) = values.first(where: { rest.hasPrefix($0.key) }) {
                result += value
                rest = rest.dropFirst(placeholder.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }
}

/// A disk that outlives its machine.
public struct DesiredVolume: Sendable, Equatable {
    /// Unique in the cluster, such as `a.etcd-main`.
    public var name: String
    /// The zone it is in.
    public var zone: String
    /// In GiB.
    public var size: Int
    /// What protokube finds it by, such as `k8s.io/etcd/main: a/a`.
    public var labels: [String: String]
    /// The machine it is attached to.
    public var machine: String

    /// Makes a value from its parts.
    public init(name: String, zone: String, size: Int, labels: [String: String], machine: String) {
        self.name = name
        self.zone = zone
        self.size = size
        self.labels = labels
        self.machine = machine
    }
}

/// What exists.
public struct CloudInventory: Sendable, Equatable {
    /// A machine that exists.
    public struct Machine: Sendable, Equatable {
        /// The name, unique in the cluster.
        public var name: String
        /// The instance group's name.
        public var instanceGroup: String
        /// What the machine does in the cluster.
        public var role: InstanceRole
        /// The zone it is in.
        public var zone: String
        /// Its IPv4 address in the machines' network.
        public var address: String
        /// `running`, `stopped`.
        public var state: String
        /// When it was last started; `nil` when it does not run or the cloud does not know.
        public var launched: Date?

        /// Makes a value from its parts.
        public init(
            name: String,
            instanceGroup: String,
            role: InstanceRole,
            zone: String,
            address: String,
            state: String,
            launched: Date? = nil
        ) {
            self.name = name
            self.instanceGroup = instanceGroup
            self.role = role
            self.zone = zone
            self.address = address
            self.state = state
            self.launched = launched
        }
    }

    /// The machines.
    public var machines: [Machine]
    /// The volumes.
    public var volumes: [String]
    /// The networks, by the cloud's own names.
    public var networks: [String]

    /// Makes a value from its parts.
    public init(machines: [Machine] = [], volumes: [String] = [], networks: [String] = []) {
        self.machines = machines
        self.volumes = volumes
        self.networks = networks
    }
}

/// One line of a cloud's plan.
public struct CloudChange: Sendable, Equatable, Comparable, CustomStringConvertible {
    /// What can be done to an object.
    public enum Action: String, Sendable {
        case create
        case modify
        case delete
        case start
    }

    /// What is done.
    public var action: Action
    /// `network`, `volume`, `machine`.
    public var kind: String
    /// The name, unique in the cluster.
    public var name: String
    /// What a dry run shows below it, as `field value` pairs.
    public var details: [String]

    /// Makes a value from its parts.
    public init(_ action: Action, _ kind: String, _ name: String, details: [String] = []) {
        self.action = action
        self.kind = kind
        self.name = name
        self.details = details
    }

    /// The line without details, such as `create machine nodes-1`.
    public var description: String { "\(action.rawValue) \(kind) \(name)" }
    /// By kind, then by name.
    public static func < (left: Self, right: Self) -> Bool { (left.kind, left.name) < (right.kind, right.name) }
}
