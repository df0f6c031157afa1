// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// What is mounted, as the kernel lists it in `/proc/self/mountinfo` (proc(5)).
struct MountTable: Sendable, Equatable {
    let entries: [MountEntry]

    /// Parses the list; lines that are not of its shape are skipped.
    ///
    /// - Shape: `36 35 98:0 /root /mount/point rw,noatime master:1 - ext4 /dev/vda rw,errors=continue`, blanks as octal.
    init(parsing text: String) {
        entries = text.split(separator: "\n").compactMap(MountEntry.init(mountinfo:))
    }

    /// Reads this process's mount namespace.
    static func live() throws(Failure) -> MountTable {
        let bytes = try FileTree(root: "/").read("/proc/self/mountinfo")
        return MountTable(parsing: String(decoding: bytes, as: UTF8.self))
    }

    /// What is on top at a path; mounts hide those listed before them.
    func top(at path: FilePath) -> MountEntry? { entries.last { $0.path == path } }
}

extension MountEntry {
    /// One line; a bind mount shows the device it comes from, and the directory in it as its root.
    fileprivate init?(mountinfo line: Substring) {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count >= 10, let dash = fields[6...].firstIndex(of: "-"), fields.count >= dash + 4 else {
            return nil
        }
        let path = FilePath(unescape(fields[4]))
        guard path.isAbsolute else { return nil }
        // The mount's own options first, then those of the file system that say more.
        var options = fields[5].split(separator: ",").map(String.init)
        for option in fields[dash + 3].split(separator: ",").map(String.init)
        where !options.contains(option) && option != "rw" && option != "ro" {
            options.append(option)
        }
        self.init(
            source: unescape(fields[dash + 2]),
            path: path,
            filesystem: String(fields[dash + 1]),
            options: options,
            root: unescape(fields[3])
        )
    }
}

/// Undoes `\040` and its like.
private func unescape(_ field: Substring) -> String {
    guard field.contains("\\") else { return String(field) }
    let bytes = Array(field.utf8)
    var plain: [UInt8] = []
    var index = 0
    while index < bytes.count {
        let digits = bytes[index...].dropFirst().prefix(3)
        if bytes[index] == UInt8(ascii: "\\"), digits.count == 3,
            let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
        {
            plain.append(value)
            index += 4
        } else {
            plain.append(bytes[index])
            index += 1
        }
    }
    return String(decoding: plain, as: UTF8.self)
}
