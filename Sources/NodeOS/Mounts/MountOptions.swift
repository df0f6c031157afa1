// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Options as mount(8) writes them, taken apart for mount(2).
struct MountOptions: Equatable {
    /// `MS_…`, without those of propagation.
    let flags: UInt
    /// `MS_SHARED` and its like, which need a call of their own; 0 when none.
    let propagation: UInt
    /// What the file system itself understands, joined by commas.
    let data: String

    /// Sorts options; those that only fstab(5) knows are dropped.
    init(_ options: [String]) {
        var flags: UInt = 0
        var propagation: UInt = 0
        var rest: [String] = []
        for option in options {
            if let flag = Self.kernel[option] {
                flags |= flag
            } else if let flag = Self.clearing[option] {
                flags &= ~flag
            } else if let flag = Self.spreading[option] {
                propagation |= flag
            } else if !Self.isForFstab(option) {
                rest.append(option)
            }
        }
        self.flags = flags
        self.propagation = propagation
        data = rest.joined(separator: ",")
    }

    var isBind: Bool { flags & UInt(MS_BIND) != 0 }
    var isRemount: Bool { flags & UInt(MS_REMOUNT) != 0 }

    private static let recursive = UInt(MS_REC)
    private static let shared = UInt(MS_SHARED)
    private static let alone = UInt(MS_PRIVATE)
    private static let slave = UInt(MS_SLAVE)
    private static let kernel: [String: UInt] = [
        "ro": UInt(MS_RDONLY), "nosuid": UInt(MS_NOSUID), "nodev": UInt(MS_NODEV),
        "noexec": UInt(MS_NOEXEC), "sync": UInt(MS_SYNCHRONOUS),
        "dirsync": UInt(MS_DIRSYNC), "noatime": UInt(MS_NOATIME),
        "nodiratime": UInt(MS_NODIRATIME), "relatime": UInt(MS_RELATIME),
        "strictatime": UInt(MS_STRICTATIME), "remount": UInt(MS_REMOUNT),
        "bind": UInt(MS_BIND), "rbind": UInt(MS_BIND) | recursive,
    ]
    private static let clearing: [String: UInt] = [
        "rw": UInt(MS_RDONLY), "suid": UInt(MS_NOSUID), "dev": UInt(MS_NODEV),
        "exec": UInt(MS_NOEXEC), "async": UInt(MS_SYNCHRONOUS), "atime": UInt(MS_NOATIME),
    ]
    private static let spreading: [String: UInt] = [
        "shared": shared, "rshared": shared | recursive,
        "private": alone, "rprivate": alone | recursive,
        "slave": slave, "rslave": slave | recursive,
        "unbindable": UInt(MS_UNBINDABLE),
    ]

    private static func isForFstab(_ option: String) -> Bool {
        ["defaults", "auto", "noauto", "nofail", "_netdev", "user", "nouser"].contains(option)
            || option.hasPrefix("x-") || option.hasPrefix("comment=")
    }
}
