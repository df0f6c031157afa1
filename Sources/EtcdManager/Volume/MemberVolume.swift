// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// A member's volume on the machine it is attached to: a disk that the cloud announces, or a directory.
public struct MemberVolume: Sendable {
    /// Where it comes from.
    public enum Source: Sendable {
        /// A disk of this machine's.
        case disk(MemberDisk)
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
    private func directory(of kind: SetAside) -> FilePath { directory.appending("data.\(kind.rawValue)") }
    private var notePath: FilePath { directory.appending(Self.noteFile) }

    /// Which member's volume is attached to this machine, as its label says.
    ///
    /// - Throws: `Failure` as ``VolumeFinder`` and ``EtcdMembership`` say; `nil` for a directory, which has no label.
    public func membership() async throws -> EtcdMembership? {
        guard case .disk(let disk) = source else { return nil }
        return try await disk.membership()
    }

    /// Looks at the volume, and mounts it where it is this machine's and ours.
    ///
    /// - Throws: `Failure` as ``VolumeFinder``, ``VolumeClaimant`` and ``VolumeMounter`` say, `etcd-identity-damaged` and
    ///   `volume-other-cluster` (permanent); ``RegisterError`` where the store is needed and cannot be used.
    public func look() async throws -> LocalSight.Volume {
        if case .disk(let disk) = source {
            guard try await disk.open() else { return .blank }
        } else if try await node.status(of: directory) == nil {
            try await node.makeDirectory(directory, attributes: FileAttributes(mode: 0o755))
        }
        return .mounted(note: try await note(), hasData: try await hasData())
    }

    /// Makes a file system on a disk that is blank, and mounts it.
    public func format() async throws {
        guard case .disk(let disk) = source else { return }
        try await disk.format()
    }

    /// Makes the file system on a disk as large as the disk.
    ///
    /// - Returns: Whether it has grown.
    /// - Throws: `Failure` as ``VolumeFinder`` and ``FilesystemTools`` say.
    @discardableResult
    public func grow() async throws -> Bool {
        guard case .disk(let disk) = source else { return false }
        return try await disk.grow()
    }

    /// Puts a note in the place of the last one.
    public func write(_ note: VolumeNote) async throws {
        do {
            try await node.write(
                try note.encoded(),
                to: notePath,
                attributes: FileAttributes(mode: 0o644, uid: 0, gid: 0)
            )
        } catch var failure as Failure where failure.code == "disk-full" {
            failure.hint =
                "make the volume larger, and its file system grows; or remove \(directory(of: .replaced)), which holds data that"
                + " was replaced"
            throw failure
        }
    }

    /// Moves the data to a name that etcd does not look for; the last of its kind that was moved so is removed for it.
    public func setAside(_ kind: SetAside) async throws {
        guard try await node.status(of: dataDirectory) != nil else { return }
        try await node.remove(directory(of: kind))
        try await node.rename(dataDirectory, to: directory(of: kind))
    }

    /// Removes an empty data directory, so that a restored one can take its place.
    func clearEmpty() async throws {
        if try await !hasData() { try await node.remove(dataDirectory) }
    }

    private func note() async throws -> VolumeNote? {
        guard try await node.status(of: notePath) != nil else { return nil }
        do {
            let note = try VolumeNote(decoding: try await node.read(notePath))
            if case .disk(let disk) = source { try disk.check(note) }
            return note
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
