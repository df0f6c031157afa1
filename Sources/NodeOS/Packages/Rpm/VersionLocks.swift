// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// What dnf's plugin versionlock keeps as it is, from the list the plugin reads.
struct VersionLocks: Sendable {
    private let files = FileTree(root: "/")
    /// The plugin's own settings, which come with it.
    let configuration: FilePath

    /// Whether the plugin is there.
    func areSupported() throws(Failure) -> Bool { try files.status(of: configuration) != nil }

    /// The patterns that lock a package, in the list's order; empty without the plugin.
    func patterns(of name: String) throws(Failure) -> [String] {
        guard let list = try list(), try files.status(of: list) != nil else { return [] }
        return try lines(list).filter { Self.name(in: $0) == name }
    }

    /// A line of the list that locks a version of a package.
    static func pattern(_ name: String, _ version: String) -> String {
        "\(name)-\(version.contains(":") ? version : "0:\(version)").*"
    }

    private func list() throws(Failure) -> FilePath? {
        guard try areSupported() else { return nil }
        for line in try lines(configuration) {
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.filter { !$0.isWhitespace } }
            if parts.count == 2, parts[0] == "locklist", parts[1].hasPrefix("/") { return FilePath(parts[1]) }
        }
        return configuration.removingLastComponent().appending("versionlock.list")
    }

    private func lines(_ file: FilePath) throws(Failure) -> [String] {
        String(decoding: try files.read(file), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The name in `name-epoch:version-release.architecture`; `nil` for comments, exclusions and what is no such line.
    private static func name(in line: String) -> String? {
        let parts = line.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count > 2, let first = line.first, first != "#", first != "!" else { return nil }
        return parts.dropLast(2).joined(separator: "-")
    }
}
