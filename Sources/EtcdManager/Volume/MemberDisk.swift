// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
public import NodeOS
import StateStore
import SystemPackage

/// The disk of a member: which of those attached it is, whose it is, and where it is mounted.
public struct MemberDisk: Sendable {
    /// The claim's name beside the data.
    static let claimFile = "claim.json"

    private let clusterName: String
    private let etcdCluster: String
    private let label: String
    private let finder: any VolumeFinder
    private let claimant: VolumeClaimant
    private let mounter: VolumeMounter
    private let node: any NodeWriter
    private let names: DeviceNames

    /// Makes a disk.
    ///
    /// - Parameters:
    ///   - clusterName: The cluster's DNS name.
    ///   - etcdCluster: `main` or `events`.
    ///   - label: What the volume is found by, such as `k8s.io/etcd/main`.
    ///   - node: The machine.
    ///   - finder: Knows what is attached.
    ///   - claimant: Makes a volume the machine's own.
    ///   - mounter: Mounts it.
    public init(
        clusterName: String,
        etcdCluster: String,
        label: String,
        node: any NodeWriter,
        finder: any VolumeFinder,
        claimant: VolumeClaimant,
        mounter: VolumeMounter
    ) {
        self.clusterName = clusterName
        self.etcdCluster = etcdCluster
        self.label = label
        self.node = node
        self.finder = finder
        self.claimant = claimant
        self.mounter = mounter
        names = DeviceNames(node: node)
    }

    /// What there is of it.
    private struct Sight {
        var volumes: [AnnouncedVolume]
        /// The one that is mounted already.
        var mounted: AnnouncedVolume?
        /// Those that may be this machine's: what is mounted stays so.
        var candidates: [AnnouncedVolume] { mounted.map { [$0] } ?? volumes }
    }

    /// Which member's volume it is.
    func membership() async throws -> EtcdMembership {
        let candidates = try await sight().candidates
        let volume = candidates.count == 1 ? candidates[0] : try await claimant.claim(among: candidates).volume
        return try EtcdMembership(label: volume.labels[label] ?? "", of: volume.name)
    }

    /// Makes the volume this machine's own and mounts the file system on it.
    ///
    /// - Returns: Whether it is mounted; `false` for a volume that is blank, or that was when this machine began to format it.
    func open() async throws -> Bool {
        let sight = try await sight()
        let claim: VolumeClaimant.Claim
        do {
            claim = try await claimant.claim(among: sight.candidates)
        } catch let RegisterError.unavailable(reason) {
            return try await openUnclaimed(sight, .unavailable(reason: reason))
        }
        if sight.mounted == nil {
            guard try await mount(claim.volume) else { return false }
        }
        try await note(claim.holder)
        return true
    }

    /// Makes a file system on the volume, which must be blank or half formatted, and mounts it.
    func format() async throws {
        let claim = try await claimant.claim(among: try await sight().candidates)
        let device = try await names.device(of: claim.volume)
        try await mounter.format(device)
        guard try await mount(claim.volume) else {
            throw Failure(
                .transient,
                code: "format-failed",
                "\(device) is not formatted after it was formatted",
                hint: "see dmesg for what the kernel says of that disk, and blkid \(device) for what is on it"
            )
        }
        try await note(claim.holder)
    }

    /// Makes the mounted file system as large as its device.
    ///
    /// - Returns: Whether it has grown.
    func grow() async throws -> Bool {
        guard let volume = try await sight().mounted else { return false }
        return try await mounter.grow(try await names.device(of: volume))
    }

    /// Refuses a volume that holds another cluster's data, or the other one of this cluster's.
    ///
    /// - Throws: ``Failure`` `volume-other-cluster` (permanent).
    func check(_ note: VolumeNote) throws {
        guard note.clusterName != clusterName || note.etcdCluster != etcdCluster else { return }
        throw Failure(
            .permanent,
            code: "volume-other-cluster",
            "the volume labelled \(label) is of etcd \(note.clusterName)/\(note.etcdCluster), not of"
                + " \(clusterName)/\(etcdCluster), by the note on it",
            hint:
                "detach it and attach this cluster's volume; if nothing on it is needed, `wipefs --all` it and overwrite"
                + " its first and last MiB with zeros"
        )
    }

    /// The store cannot say whose the volume is: only what was this machine's own, and can be no other's, is used.
    private func openUnclaimed(_ sight: Sight, _ error: RegisterError) async throws -> Bool {
        guard let volume = sight.candidates.first, sight.candidates.count == 1 else { throw error }
        if sight.mounted == nil {
            try claimant.checkMount(volume)
            guard try await mount(volume) else { throw error }
        }
        try claimant.checkUnclaimed(volume, note: try await note())
        return true
    }

    private func sight() async throws -> Sight {
        var sight = Sight(volumes: try await finder.volumes(labelled: label, of: clusterName))
        var devices: [(volume: AnnouncedVolume, path: FilePath)] = []
        var missing: Failure?
        for volume in sight.volumes {
            do {
                devices.append((volume, try await names.device(of: volume)))
            } catch let failure as Failure where failure.kind == .waiting {
                missing = failure
            }
        }
        let mounted = try await mounter.mounted(among: devices.map(\.path))
        sight.mounted = devices.first { $0.path == mounted }?.volume
        if devices.isEmpty, let missing { throw missing }
        return sight
    }

    /// - Returns: Whether it is mounted now; `false` when it is blank or half formatted.
    private func mount(_ volume: AnnouncedVolume) async throws -> Bool {
        let device = try await names.device(of: volume)
        guard case .ours(let filesystem) = try await mounter.inspect(device) else { return false }
        try await mounter.mount(device, filesystem: filesystem)
        return true
    }

    private var notePath: FilePath { mounter.mountPoint.appending(Self.claimFile) }

    /// Whose the volume was last, by its own account; what cannot be read is nobody's.
    private func note() async throws -> VolumeClaims.Holder? {
        guard try await node.status(of: notePath) != nil else { return nil }
        return try? JSONDecoder().decode(VolumeClaims.Holder.self, from: Data(try await node.read(notePath)))
    }

    private func note(_ holder: VolumeClaims.Holder) async throws {
        if try await note() == holder { return }
        try await node.write(
            try encodeForStore(holder),
            to: notePath,
            attributes: FileAttributes(mode: 0o644, uid: 0, gid: 0)
        )
    }
}
