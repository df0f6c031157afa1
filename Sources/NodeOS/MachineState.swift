// SPDX-License-Identifier: Apache-2.0
public import SystemPackage

/// One mount, as `/proc/self/mountinfo` describes it.
public struct MountEntry: Sendable, Equatable {
    /// The device, or for a bind mount the directory that shows.
    public var source: String
    /// Where it is mounted.
    public var path: FilePath
    /// `ext4`, `tmpfs`, … or `none` with the option `bind` for a bind mount.
    public var filesystem: String
    /// Options, as mount(8) writes them.
    public var options: [String]
    /// The directory of the file system that forms the root of this mount; `/` unless it is a bind mount.
    public var root: String

    /// Makes one from its parts.
    public init(source: String, path: FilePath, filesystem: String, options: [String] = [], root: String = "/") {
        self.source = source
        self.path = path
        self.filesystem = filesystem
        self.options = options
        self.root = root
    }
}

/// A unit as systemd's D-Bus API describes it.
public struct UnitStatus: Sendable, Equatable {
    /// `loaded`, `not-found`, `masked`, `error`, … .
    public var load: String
    /// `active`, `inactive`, `failed`, `activating`, … .
    public var active: String
    /// `enabled`, `disabled`, `static`, … or empty when there is no unit file.
    public var file: String
    /// Whether the unit's file changed after systemd read it.
    public var needsReload: Bool
    /// When it last became active, as microseconds of CLOCK_MONOTONIC; 0 when never.
    public var activeSince: UInt64

    /// Makes one from its parts.
    public init(load: String, active: String, file: String, needsReload: Bool = false, activeSince: UInt64 = 0) {
        self.load = load
        self.active = active
        self.file = file
        self.needsReload = needsReload
        self.activeSince = activeSince
    }

    /// A unit nobody has heard of.
    public static let absent = UnitStatus(load: "not-found", active: "inactive", file: "")
}

/// What to do with a unit.
public enum UnitChange: String, Sendable {
    case start
    case stop
    case restart
}

/// An installed package.
public struct PackageStatus: Sendable, Equatable {
    /// Its version.
    public var version: String
    /// Whether it is fully installed; `false` after an interruption.
    public var configured: Bool
    /// Whether it is to stay in this version, whatever else is upgraded.
    public var held: Bool

    /// Makes one from its parts.
    public init(version: String, configured: Bool = true, held: Bool = false) {
        self.version = version
        self.configured = configured
        self.held = held
    }
}

/// A package to install.
public struct PackageRequest: Sendable, Equatable {
    /// The name.
    public var name: String
    /// The exact version; `nil` for the newest.
    public var version: String?
    /// Whether it is to be held in its version from then on; `nil` leaves that as it is.
    public var hold: Bool?

    /// Makes one from its parts.
    public init(name: String, version: String? = nil, hold: Bool? = nil) {
        self.name = name
        self.version = version
        self.hold = hold
    }
}

/// What a block device holds, as far as it decides whether formatting would destroy something.
public struct BlockDeviceStatus: Sendable, Equatable {
    /// The file system or other signature found, such as `ext4` or `LVM2_member`; `nil` when none.
    public var signature: String?
    /// The file system's label.
    public var label: String?
    /// The partition table's type, such as `gpt`; `nil` when none.
    public var partitionTable: String?
    /// Whether the first and the last megabyte hold zeros only.
    public var endsAreZero: Bool
    /// In bytes.
    public var size: Int64
    /// How much of it the file system uses, in bytes; `nil` for kinds other than ext2 to ext4 and xfs.
    public var filesystemSize: Int64?
    /// Whether the kernel lets nobody write to it.
    public var isReadOnly: Bool
    /// Whether this machine was interrupted when it formatted this very device: what is on it is nobody's.
    public var isHalfFormatted: Bool

    /// Makes one from its parts.
    public init(
        signature: String?,
        label: String? = nil,
        partitionTable: String? = nil,
        endsAreZero: Bool,
        size: Int64,
        filesystemSize: Int64? = nil,
        isReadOnly: Bool = false,
        isHalfFormatted: Bool = false
    ) {
        self.signature = signature
        self.label = label
        self.partitionTable = partitionTable
        self.endsAreZero = endsAreZero
        self.size = size
        self.filesystemSize = filesystemSize
        self.isReadOnly = isReadOnly
        self.isHalfFormatted = isHalfFormatted
    }

    /// Whether all three tests say that nothing is on it.
    public var isBlank: Bool { signature == nil && partitionTable == nil && endsAreZero }
}
