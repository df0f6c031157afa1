// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// A member's volume on the machine it is attached to: a disk that the cloud announces, or a directory.
public struct MemberVolume: Sendable {
    /// Where it comes from.
    public enum Source: Sendable {
        /// A disk: found by its label, mounted by ours.
        case disk(any VolumeFinder, VolumeMounter, label: String)
        /// A directory of a file system that others look after.
        case directory
    }

    /// The note's name beside the data.
    public static let noteFile = "identity.json"

    /// Where it is mounted; it holds the note and `data`.
    public let directory: FilePath
    private let node: any NodeWriter
    private let source: Source

    /// Makes a volume.
    public init(node: any NodeWriter, directory: FilePath, source: Source) {
        self.node = node
        self.directory = directory
        self.source = source
    }

    /// Where etcd keeps its data.
    public var dataDirectory: FilePath { directory.appending("data") }
    private var notePath: FilePath { directory.appending(Self.noteFile) }

    /// Which member's volume is attached to this machine, as its label says.
    ///
    /// - Throws: `Failure` as ``VolumeFinder`` and ``EtcdMembership`` say; `nil` for a directory, which has no label.
    public func membership() async throws -> EtcdMembership? {
        guard case .disk(let finder, _, let label) = source else { return nil }
        let volume = try await finder.volume(labelled: label)
        return try EtcdMembership(label: volume.labels[label] ?? "", of: volume.name)
    }

    /// Looks at the volume, and mounts it where it is ours.
    ///
    /// - Throws: `Failure` as ``VolumeFinder`` and ``VolumeMounter`` say, `etcd-identity-damaged` (permanent).
    public func look() async throws -> LocalSight.Volume {
        if case .disk(let finder, let mounter, let label) = source {
            let device = FilePath(try await finder.volume(labelled: label).device)
            if try await !mounter.isMounted(device) {
                guard case .ours(let filesystem) = try await mounter.inspect(device) else { return .blank }
                try await mounter.mount(device, filesystem: filesystem)
            }
        } else if try await node.status(of: directory) == nil {
            try await node.makeDirectory(directory, attributes: FileAttributes(mode: 0o755))
        }
        return .mounted(note: try await note(), hasData: try await hasData())
    }

    /// Makes a file system on a disk that is blank, and mounts it.
    public func format() async throws {
        guard case .disk(let finder, let mounter, let label) = source else { return }
        let device = FilePath(try await finder.volume(labelled: label).device)
        try await mounter.format(device)
        guard case .ours(let filesystem) = try await mounter.inspect(device) else {
            throw Failure(.transient, code: "format-failed", "\(device) is not formatted after it was formatted")
        }
        try await mounter.mount(device, filesystem: filesystem)
    }

    /// Puts a note in the place of the last one.
    public func write(_ note: VolumeNote) async throws {
        try await node.write(
            try note.encoded(),
            to: notePath,
            attributes: FileAttributes(mode: 0o644, uid: 0, gid: 0)
        )
    }

    /// Moves the data to a name that etcd does not look for; the last that was moved so is removed for it.
    public func setAside() async throws {
        let aside = directory.appending("data.replaced")
        guard try await node.status(of: dataDirectory) != nil else { return }
        try await node.remove(aside)
        try await node.rename(dataDirectory, to: aside)
    }

    /// Removes an empty data directory, so that a restored one can take its place.
    func clearEmpty() async throws {
        if try await !hasData() { try await node.remove(dataDirectory) }
    }

    private func note() async throws -> VolumeNote? {
        guard try await node.status(of: notePath) != nil else { return nil }
        do {
            return try VolumeNote(decoding: try await node.read(notePath))
        } catch let error as DecodingError {
            throw Failure(
                .permanent,
                code: "etcd-identity-damaged",
                "\(notePath) cannot be read as JSON",
                hint:
                    "if the volume is this cluster's, write it anew from etcd/ in the state store; \(notePath) of another"
                    + " member shows its shape",
                cause: error
            )
        }
    }

    private func hasData() async throws -> Bool {
        try await !node.list(dataDirectory.appending("member")).isEmpty
    }
}
