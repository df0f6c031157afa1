// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
public import SystemPackage

/// All that is below a directory of this machine, temporaries included, for comparing it before and after.
public enum DirectoryTree {
    /// One line for each entry: its path, kind, mode, owner and contents.
    ///
    /// - Throws: `CocoaError` when something cannot be read.
    public static func lines(below directory: FilePath) throws -> [String] {
        let files = FileManager.default
        return try files.subpathsOfDirectory(atPath: directory.string).sorted().map { name in
            let path = "\(directory)/\(name)"
            let attributes = try files.attributesOfItem(atPath: path)
            let kind = attributes[.type] as? FileAttributeType
            let mode = (attributes[.posixPermissions] as? UInt).map { String($0, radix: 8) } ?? "?"
            let owner = "\(attributes[.ownerAccountID] ?? "?"):\(attributes[.groupOwnerAccountID] ?? "?")"
            var line = "\(name) \(kind?.rawValue ?? "?") \(mode) \(owner)"
            if kind == .typeSymbolicLink { line += " \(try files.destinationOfSymbolicLink(atPath: path))" }
            if kind == .typeRegular { line += " \(FakeNode.hex([UInt8](try Data(contentsOf: URL(filePath: path)))))" }
            return line
        }
    }
}
