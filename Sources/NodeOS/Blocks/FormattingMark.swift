// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// The note that a blank device is being formatted, so that one left half made by a crash is known as ours.
struct FormattingMark: Sendable {
    private let directory: FilePath
    private let path: FilePath
    private let text: [UInt8]
    private let files: FileTree

    /// The note for a device; it counts only for a device of the same size.
    init(device: FilePath, size: Int64, in directory: FilePath, files: FileTree) {
        self.directory = directory
        path = directory.appending(String(device.string.map { $0 == "/" ? "-" : $0 }))
        text = Array("\(device) \(size)\n".utf8)
        self.files = files
    }

    func isSet() throws(Failure) -> Bool {
        guard try files.status(of: path) != nil else { return false }
        return try files.read(path) == text
    }

    func set() throws(Failure) {
        try files.makeDirectory(directory, FileAttributes(mode: 0o700))
        try files.write(text, to: path, FileAttributes(mode: 0o600))
    }

    func clear() throws(Failure) { try files.remove(path) }
}
