// SPDX-License-Identifier: Apache-2.0
public import NodeOS
public import SystemPackage

/// Mounts one labelled file system, and makes it only where provably nothing is.
public struct VolumeMounter: Sendable {
    /// What a device holds, as far as this decides what may be done with it.
    public enum Contents: Sendable, Equatable {
        /// All three tests say that nothing is on it.
        case blank
        /// What is left of a file system that this machine was interrupted at making.
        case halfFormatted
        /// A file system that carries our label.
        case ours(filesystem: String)
    }

    /// The file systems that are mounted; a new one is the first.
    public static let filesystems = ["ext4", "xfs"]

    /// Where it is mounted, such as `/mnt/kopslite/etcd-main`.
    public let mountPoint: FilePath
    /// The file system's label, such as `etcd-main`; ext4 takes 16 bytes, xfs 12.
    public let label: String
    private let node: any NodeWriter
    private let tools: any FilesystemTools

    /// In bytes; less than that at a device's end may be too little for the file system to use.
    private static let leastGrowth: Int64 = 1 << 20

    /// Makes a mounter for one label and mount point.
    public init(node: any NodeWriter, tools: any FilesystemTools, label: String, mountPoint: FilePath) {
        self.node = node
        self.tools = tools
        self.label = label
        self.mountPoint = mountPoint
    }

    /// Which of these devices is mounted already; `nil` when nothing is mounted there.
    ///
    /// - Throws: ``Failure`` `mount-point-taken` (permanent) when something else is mounted there, `volume-gone` (waiting)
    ///   when what was mounted there is no device any more, `volume-read-only` (permanent).
    public func mounted(among devices: [FilePath]) async throws -> FilePath? {
        guard let mount = try await node.mounts().last(where: { $0.path == mountPoint }) else { return nil }
        let source = try await resolve(FilePath(mount.source))
        guard try await node.status(of: source) != nil else {
            throw Failure(
                .waiting,
                code: "volume-gone",
                "\(source) was mounted on \(mountPoint) and is no longer attached",
                hint: "attach it again and reboot the machine, which drops what is left of the mount"
            )
        }
        for device in devices where try await resolve(device) == source {
            if mount.options.contains("ro") { throw readOnly(device) }
            return device
        }
        let wanted = devices.isEmpty ? label : devices.map(\.string).joined(separator: " or ")
        throw Failure(
            .permanent,
            code: "mount-point-taken",
            "\(source) is mounted on \(mountPoint), where \(wanted) belongs",
            hint: "stop what uses it and `umount \(mountPoint)`"
        )
    }

    /// Looks at a device that is not mounted; changes nothing.
    ///
    /// - Throws: ``Failure`` `volume-not-attached` (waiting) when there is no such device, `volume-foreign` (permanent) when it holds
    ///   anything that is not ours, `volume-unrecognised` (permanent) when it may be ours and damaged, `volume-read-only`
    ///   (permanent).
    public func inspect(_ device: FilePath) async throws -> Contents {
        let found = try await status(of: device)
        let contents = try contents(of: device, found)
        if found.isReadOnly { throw readOnly(device) }
        return contents
    }

    private func contents(of device: FilePath, _ found: BlockDeviceStatus) throws -> Contents {
        if found.isBlank { return .blank }
        if found.isHalfFormatted { return .halfFormatted }
        if found.signature == nil, found.partitionTable == nil { throw unrecognised(device) }
        if found.partitionTable == nil, let signature = found.signature, Self.filesystems.contains(signature),
            found.label == label
        {
            return .ours(filesystem: signature)
        }
        throw foreign(device, Self.describe(found))
    }

    private func status(of device: FilePath) async throws -> BlockDeviceStatus {
        guard let found = try await node.blockDevice(try await resolve(device)) else {
            throw Failure(
                .waiting,
                code: "volume-not-attached",
                "\(device) is announced for \(label) and is not there",
                hint: "attach the volume to this machine"
            )
        }
        return found
    }

    /// Makes a mounted file system as large as its device, where the device has grown; never smaller.
    ///
    /// - Returns: Whether it has grown.
    public func grow(_ device: FilePath) async throws -> Bool {
        let found = try await status(of: device)
        guard let filesystem = found.signature, let size = found.filesystemSize, found.size - size >= Self.leastGrowth
        else { return false }
        try await tools.grow(try await resolve(device), filesystem: filesystem, mountPoint: mountPoint)
        return true
    }

    /// Makes a labelled file system on a device that is blank, or that was when an interrupted call began to format it.
    ///
    /// - Throws: ``Failure`` as ``inspect(_:)`` when it is neither.
    public func format(_ device: FilePath) async throws {
        if case .ours = try await inspect(device) { return }
        try await node.makeFilesystem(Self.filesystems[0], label: label, on: try await resolve(device))
    }

    /// A file system whose beginning is damaged looks like this, with all data behind it.
    private func unrecognised(_ device: FilePath) -> Failure {
        Failure(
            .permanent,
            code: "volume-unrecognised",
            "\(device) is not blank, and the beginning of no file system is on it: one labelled \(label) may be damaged;"
                + " it is left untouched",
            hint:
                "if it is, copy the volume and run `e2fsck -b 32768 \(device)`, which takes another superblock; if nothing on"
                + " it is needed, overwrite its first and last MiB with zeros"
        )
    }

    private func foreign(_ device: FilePath, _ what: String) -> Failure {
        Failure(
            .permanent,
            code: "volume-foreign",
            "\(device) holds \(what), not a file system labelled \(label); it is left untouched",
            hint: "attach the right volume, or, if nothing on it is needed, `wipefs --all \(device)` and overwrite its"
                + " first and last MiB with zeros"
        )
    }

    private func readOnly(_ device: FilePath) -> Failure {
        Failure(
            .permanent,
            code: "volume-read-only",
            "\(device) for \(label) cannot be written to",
            hint: "attach the volume writable; see dmesg for whether the disk is failing"
        )
    }

    /// Checks and mounts a file system that is ours.
    public func mount(_ device: FilePath, filesystem: String) async throws {
        let real = try await resolve(device)
        try await tools.check(real, filesystem: filesystem)
        try await node.makeDirectory(mountPoint, attributes: FileAttributes(mode: 0o755, uid: 0, gid: 0))
        try await node.mount(
            MountEntry(source: real.string, path: mountPoint, filesystem: filesystem, options: ["noatime"])
        )
    }

    /// Clouds announce links such as `/dev/disk/by-id/…`, the kernel's mount table names what they point to.
    private func resolve(_ path: FilePath) async throws -> FilePath {
        guard path.isAbsolute, let target = try await node.target(of: path) else { return path }
        return path.removingLastComponent().pushing(FilePath(target)).lexicallyNormalized()
    }

    private static func describe(_ found: BlockDeviceStatus) -> String {
        var parts: [String] = []
        if let table = found.partitionTable { parts.append("a \(table) partition table") }
        if let signature = found.signature {
            parts.append(signature + (found.label.map { " labelled \"\($0)\"" } ?? " without a label"))
        }
        return parts.joined(separator: " and ")
    }
}
