// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Reads what a person names on the command line.
enum InputFile {
    /// More than any specification needs, and little enough to read whole.
    static let limit = 4 << 20

    /// The bytes of a file, or of standard input for `-`.
    static func read(_ path: String) throws -> [UInt8] {
        if path == "-" {
            let bytes = try FileHandle.standardInput.read(upToCount: limit + 1) ?? Data()
            return try checked(bytes, path: "standard input")
        }
        guard let file = FileHandle(forReadingAtPath: path) else {
            let reason = FileManager.default.fileExists(atPath: path) ? "cannot be read" : "does not exist"
            throw CommandFailure(
                "\(path) \(reason)",
                remedy: "give the path of a YAML or JSON file, or - for standard input"
            )
        }
        defer { try? file.close() }
        do {
            return try checked(file.read(upToCount: limit + 1) ?? Data(), path: path)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure("\(path) cannot be read", remedy: "give the path of a YAML or JSON file")
        }
    }

    private static func checked(_ bytes: Data, path: String) throws -> [UInt8] {
        guard bytes.count <= limit else { throw CommandFailure("\(path) is larger than \(limit >> 20) MiB") }
        return [UInt8](bytes)
    }
}
