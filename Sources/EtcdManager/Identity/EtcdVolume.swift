// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// etcd's volume: found, never overwritten, mounted, and known to be this cluster's.
///
/// Safe to repeat after a crash between any two writes: the identity is on the volume before the store records it, and
/// the store's record, of which there can be only one, comes before etcd may begin.
public struct EtcdVolume: Sendable {
    /// A volume that etcd may run on.
    public struct Ready: Sendable, Equatable {
        /// Whose data it is.
        public var identity: EtcdIdentity
        /// Which member of the etcd cluster it is.
        public var membership: EtcdMembership
        /// The state store's failure, where the volume was trusted without it; for a warning.
        public var storeFailure: String?
    }

    /// The file on the volume that says whose data it is.
    public static let identityFile = "identity.json"

    private let node: any NodeWriter
    private let finder: any VolumeFinder
    private let mounter: VolumeMounter
    private let store: any EtcdIdentityStore
    private let volumeLabel: String
    private let clusterName: String
    private let etcdCluster: String

    /// Makes the volume of one etcd cluster.
    ///
    /// - `volumeLabel` is what the cloud marks it with, such as `k8s.io/etcd/main`.
    public init(
        node: any NodeWriter,
        finder: any VolumeFinder,
        mounter: VolumeMounter,
        store: any EtcdIdentityStore,
        volumeLabel: String,
        clusterName: String,
        etcdCluster: String
    ) {
        self.node = node
        self.finder = finder
        self.mounter = mounter
        self.store = store
        self.volumeLabel = volumeLabel
        self.clusterName = clusterName
        self.etcdCluster = etcdCluster
    }

    /// Where etcd keeps its data.
    public var dataDirectory: FilePath { mounter.mountPoint.appending("data") }
    private var identityPath: FilePath { mounter.mountPoint.appending(Self.identityFile) }

    /// Finds, formats when blank and allowed, mounts and identifies the volume.
    ///
    /// - Throws: ``Failure`` as ``VolumeFinder``, ``VolumeMounter`` and ``IdentityDecision`` say.
    public func prepare() async throws -> Ready {
        let volume = try await finder.volume(labelled: volumeLabel)
        let membership = try EtcdMembership(label: volume.labels[volumeLabel] ?? "", of: volume.name)
        let record = await readRecord()
        try await mount(volume, record: record)
        let identity = try await readIdentity(volume)
        let decision = try IdentityDecision.make(
            volume: "\(volume.name) (\(volume.device))",
            identity: identity,
            hasData: try await hasData(),
            wanted: (clusterName, etcdCluster),
            record: record
        )
        return try await follow(decision, identity, membership, volume)
    }

    /// Notes on the volume that etcd has served from it, so that it can never again be taken for a new one.
    public func markInitialised(_ ready: Ready) async throws {
        guard ready.identity.initialised == false else { return }
        var identity = ready.identity
        identity.initialised = true
        try await write(identity)
    }

    private func readRecord() async -> IdentityRecord {
        do {
            return try await store.read().map(IdentityRecord.present) ?? .absent
        } catch {
            return .unknown(reason: (error as? Failure)?.chain ?? "\(error)")
        }
    }

    private func mount(_ volume: AnnouncedVolume, record: IdentityRecord) async throws {
        let device = FilePath(volume.device)
        if try await mounter.isMounted(device) { return }
        var contents = try await mounter.inspect(device)
        if contents == .blank || contents == .unrecognised {
            try IdentityDecision.mayFormat(
                "\(volume.name) (\(volume.device))",
                cluster: "\(clusterName)/\(etcdCluster)",
                record: record
            )
            try await mounter.format(device)
            contents = try await mounter.inspect(device)
        }
        guard case .ours(let filesystem) = contents else {
            throw Failure(.transient, code: "format-failed", "\(device) is not formatted after it was formatted")
        }
        try await mounter.mount(device, filesystem: filesystem)
    }

    private func readIdentity(_ volume: AnnouncedVolume) async throws -> EtcdIdentity? {
        guard try await node.status(of: identityPath) != nil else { return nil }
        do {
            return try EtcdIdentity(decoding: try await node.read(identityPath))
        } catch let error as DecodingError {
            throw Failure(
                .permanent,
                code: "etcd-identity-damaged",
                "\(identityPath) on \(volume.name) cannot be read as JSON",
                hint: "restore it from etcd/\(etcdCluster)/identity.json of the state store, if the volume is this"
                    + " cluster's",
                cause: error
            )
        }
    }

    private func hasData() async throws -> Bool {
        try await !node.list(dataDirectory.appending("member")).isEmpty
    }

    private func follow(
        _ decision: IdentityDecision,
        _ found: EtcdIdentity?,
        _ membership: EtcdMembership,
        _ volume: AnnouncedVolume
    ) async throws -> Ready {
        let identity = found ?? .random(clusterName: clusterName, etcdCluster: etcdCluster)
        var ready = Ready(identity: identity, membership: membership)
        switch decision {
        case .proceed:
            break
        case .proceedUnrecorded(let reason):
            ready.storeFailure = reason
        case .begin, .record:
            if decision == .begin { try await write(identity) }
            let recorded = try await store.create(identity.record)
            guard recorded.isSame(as: identity) else {
                throw Failure(
                    .permanent,
                    code: "etcd-identity-mismatch",
                    "another machine began etcd \(clusterName)/\(etcdCluster) as \(recorded.id) while \(volume.name)"
                        + " was prepared as \(identity.id)",
                    hint: "only one machine may begin it: detach \(volume.name) here"
                )
            }
        }
        return ready
    }

    private func write(_ identity: EtcdIdentity) async throws {
        try await node.write(
            try identity.encoded(),
            to: identityPath,
            attributes: FileAttributes(mode: 0o644, uid: 0, gid: 0)
        )
    }
}
