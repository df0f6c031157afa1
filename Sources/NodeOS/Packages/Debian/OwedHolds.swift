// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// The packages that were held before a transaction changed them, until they are held again.
///
/// dpkg lets go of a package as it unpacks it; without this record an interruption would lose the hold for good.
struct OwedHolds: Sendable {
    private let files = FileTree(root: "/")
    let file: FilePath

    /// The names, sorted; empty when nothing is owed.
    func names() throws(Failure) -> [String] {
        guard try files.status(of: file) != nil else { return [] }
        return String(decoding: try files.read(file), as: UTF8.self).split(separator: "\n").map(String.init).sorted()
    }

    /// Adds to what is owed.
    func add(_ names: [String]) throws(Failure) {
        let all = Set(try self.names()).union(names).sorted()
        guard !names.isEmpty else { return }
        try files.makeDirectory(file.removingLastComponent(), FileAttributes(mode: 0o700))
        try files.write([UInt8](all.map { "\($0)\n" }.joined().utf8), to: file, FileAttributes(mode: 0o600))
    }

    /// All is as it was.
    func clear() throws(Failure) { try files.remove(file) }
}
