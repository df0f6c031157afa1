// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// The machine as `find` sees it: nothing here can change it.
public protocol NodeReader: Sendable {
    /// What is at a path, without following a final symbolic link (lstat(2)); `nil` when nothing is there.
    func status(of path: FilePath) async throws -> FileStatus?
    /// A file's bytes, following symbolic links.
    func read(_ path: FilePath) async throws -> [UInt8]
    /// The SHA-256 of a file as 64 hex digits, read in pieces.
    func sha256(of path: FilePath) async throws -> String
    /// The SHA-256 of a file that came from elsewhere, such as a download, which need not lie below the root of the tree
    /// it is for; `nil` when there is no such file.
    func sourceSHA256(of path: FilePath) async throws -> String?
    /// The names in a directory, sorted; empty when it is not there.
    func list(_ path: FilePath) async throws -> [String]
    /// Where a symbolic link points; `nil` when the path is no link.
    func target(of path: FilePath) async throws -> String?
    /// The account database's entry of a user; `nil` when there is none (passwd(5)).
    func user(named name: String) async throws -> UserEntry?
    /// The entry of a group; `nil` when there is none (group(5)).
    func group(named name: String) async throws -> GroupEntry?
    /// Everything that is mounted, in the kernel's order (proc(5), mountinfo).
    func mounts() async throws -> [MountEntry]
    /// A unit as the service manager knows it.
    func unit(named name: String) async throws -> UnitStatus
    /// The running units whose files changed after the service manager read them, sorted.
    func outdatedUnits() async throws -> [String]
    /// A package as the package manager knows it; `nil` when it is not installed.
    func package(named name: String) async throws -> PackageStatus?
    /// The kernel's live value of a setting such as `net.ipv4.ip_forward`; `nil` when the kernel has no such setting.
    func sysctl(_ key: String) async throws -> String?
    /// Whether a kernel module is loaded or built in.
    func hasKernelModule(_ name: String) async throws -> Bool
    /// What a block device or image file holds (blkid's safe probing, partition tables, first and last megabyte).
    func blockDevice(_ path: FilePath) async throws -> BlockDeviceStatus?
    /// The identifiers of the images a runtime holds, such as `sha256:…` for docker or references for containerd.
    func images(in runtime: String) async throws -> Set<String>
    /// An identifier that changes at each boot of the machine.
    func bootID() async throws -> String
}

/// The machine as `apply` sees it.
///
/// Every write is atomic and repeatable.
public protocol NodeWriter: NodeReader {
    /// Writes a file: temporary name, mode and owner, fsync, rename.
    func write(_ bytes: [UInt8], to path: FilePath, attributes: FileAttributes) async throws
    /// Adds bytes at the end of a file that is there, all or none of them, and returns once they are on the disk.
    func append(_ bytes: [UInt8], to path: FilePath) async throws
    /// Puts a file in place of `path` by copying: temporary name, verified digest, mode and owner, fsync, rename.
    func install(_ source: FilePath, sha256: String, to path: FilePath, attributes: FileAttributes) async throws
    /// Makes a directory and its missing parents (parents root:root 0755).
    func makeDirectory(_ path: FilePath, attributes: FileAttributes) async throws
    /// Sets mode, owner and group where given.
    func setAttributes(_ attributes: FileAttributes, of path: FilePath) async throws
    /// Makes or replaces a symbolic link atomically.
    func link(_ path: FilePath, to target: String) async throws
    /// Removes a file or link, or a directory with everything in it; nothing there is no error.
    func remove(_ path: FilePath) async throws
    /// Renames over the target.
    func rename(_ path: FilePath, to target: FilePath) async throws
    /// Extracts a gzip, xz or plain tar into an existing directory.
    func extract(_ archive: FilePath, into directory: FilePath, stripComponents: Int) async throws
    /// Creates or changes a user.
    func setUser(_ user: UserEntry, groups: [String]) async throws
    /// Removes a user; the home directory stays.
    func removeUser(_ name: String) async throws
    /// Creates or changes a group; a `nil` identifier lets the system choose one.
    func setGroup(_ name: String, gid: UInt32?) async throws
    /// Removes a group.
    func removeGroup(_ name: String) async throws
    /// Mounts a file system.
    func mount(_ mount: MountEntry) async throws
    /// Unmounts what is mounted on a path.
    func unmount(_ path: FilePath) async throws
    /// Makes a file system with a label on a blank device.
    func makeFilesystem(_ type: String, label: String?, on device: FilePath) async throws
    /// Forgets that a device was being formatted, once what is on it is known to be whole.
    func settleFilesystem(on device: FilePath) async throws
    /// Makes the service manager read its units again.
    func reloadUnits() async throws
    /// Enables or disables a unit.
    func setUnit(_ name: String, enabled: Bool) async throws
    /// Starts, stops or restarts a unit and waits for the job to end.
    func changeUnit(_ name: String, _ change: UnitChange) async throws
    /// Installs packages in one transaction, then sets and releases their holds.
    func installPackages(_ packages: [PackageRequest]) async throws
    /// Removes packages in one transaction.
    func removePackages(_ names: [String]) async throws
    /// Sets a kernel setting's live value.
    func setSysctl(_ key: String, to value: String) async throws
    /// Loads a kernel module.
    func loadKernelModule(_ name: String) async throws
    /// Imports a docker-archive into a runtime and returns the identifiers ``NodeReader/images(in:)`` then lists.
    func importImage(_ archive: FilePath, into runtime: String) async throws -> [String]
    /// Removes an image from a runtime.
    func removeImage(_ identifier: String, from runtime: String) async throws
}

/// What stat(2) says of a path.
public struct FileStatus: Sendable, Equatable {
    /// The kinds of file the tasks tell apart.
    public enum Kind: String, Sendable {
        case regular
        case directory
        case symlink
        case block
        case other

        /// What it is, for a sentence.
        public var noun: String {
            switch self {
            case .regular: "a regular file"
            case .directory: "a directory"
            case .symlink: "a symbolic link"
            case .block: "a block device"
            case .other: "a pipe, a socket or a character device"
            }
        }
    }

    /// What it is.
    public var kind: Kind
    /// Permission bits, 0o0000 to 0o7777.
    public var mode: UInt16
    /// The number of the user.
    public var uid: UInt32
    /// The number of the group.
    public var gid: UInt32
    /// In bytes.
    public var size: Int64

    /// Makes one from its parts.
    public init(kind: Kind, mode: UInt16, uid: UInt32, gid: UInt32, size: Int64) {
        self.kind = kind
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size = size
    }
}

/// Mode and ownership to set; `nil` leaves a part as it is (or to the default of a new file, root and 0644 or 0755).
public struct FileAttributes: Sendable, Equatable {
    /// Permission bits.
    public var mode: UInt16?
    /// The number of the user.
    public var uid: UInt32?
    /// The number of the group.
    public var gid: UInt32?

    /// Makes one from its parts.
    public init(mode: UInt16? = nil, uid: UInt32? = nil, gid: UInt32? = nil) {
        self.mode = mode
        self.uid = uid
        self.gid = gid
    }
}

/// A line of passwd(5), with the groups the user is a member of.
public struct UserEntry: Sendable, Equatable {
    /// The name.
    public var name: String
    /// `nil` lets the system choose one.
    public var uid: UInt32?
    /// The number of the group.
    public var gid: UInt32?
    /// The home directory.
    public var home: String?
    /// The login shell.
    public var shell: String?
    /// Supplementary groups, sorted.
    public var groups: [String]

    /// Makes one from its parts.
    public init(
        name: String,
        uid: UInt32? = nil,
        gid: UInt32? = nil,
        home: String? = nil,
        shell: String? = nil,
        groups: [String] = []
    ) {
        self.name = name
        self.uid = uid
        self.gid = gid
        self.home = home
        self.shell = shell
        self.groups = groups
    }
}

/// A line of group(5).
public struct GroupEntry: Sendable, Equatable {
    /// The name.
    public var name: String
    /// The number of the group.
    public var gid: UInt32
    /// The users in it.
    public var members: [String]

    /// Makes one from its parts.
    public init(name: String, gid: UInt32, members: [String] = []) {
        self.name = name
        self.gid = gid
        self.members = members
    }
}
