// SPDX-License-Identifier: Apache-2.0
internal import NodeOS
internal import SystemPackage

/// The mount options that can be compared: those that the kernel shows for every mount as they were asked for.
///
/// Others belong to a file system, which may show them in other words or not at all, so they are given once, at the
/// mount (mount(8), "filesystem-independent mount options"; proc(5), mountinfo).
enum MountOptions {
    private static let compared = ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime"]

    /// The options that are declared and not in force, or in force and declared otherwise.
    static func differ(_ declared: [String], from found: [String]) -> Bool {
        compared.contains { option in
            let opposite = option == "ro" ? "rw" : String(option.dropFirst(2))
            if declared.contains(option) { return !found.contains(option) }
            return declared.contains(opposite) && found.contains(option)
        }
    }

    static func text(_ options: [String]) -> Change.Shown {
        .text(options.isEmpty ? "defaults" : options.joined(separator: ","))
    }
}

extension NodeReader {
    /// The mount on a path: the last one, which hides those before it.
    func mount(on path: FilePath) async throws -> MountEntry? {
        try await mounts().last { $0.path == path }
    }

    /// A device's own name behind links such as those in `/dev/disk`.
    func device(_ name: String) async throws -> String {
        guard name.hasPrefix("/") else { return name }
        var path = FilePath(name)
        for _ in 0..<8 {
            guard let target = try await target(of: path) else { break }
            let next = FilePath(target)
            path = next.isAbsolute ? next : path.removingLastComponent().pushing(next).lexicallyNormalized()
        }
        return path.string
    }
}
