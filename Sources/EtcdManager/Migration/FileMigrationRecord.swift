// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
public import NodeOS
import StateStore
public import SystemPackage

/// A migration's state in a file of the machine that carries it out.
public struct FileMigrationRecord: MigrationRecord {
    private let node: any NodeWriter
    private let path: FilePath

    /// Keeps the state at a path, whose directory is made where it is not there.
    public init(node: any NodeWriter, path: FilePath) {
        self.node = node
        self.path = path
    }

    /// What was last written; `nil`: nothing.
    ///
    /// - Throws: ``Failure`` `migration-record-damaged` (permanent).
    public func read() async throws -> MigrationState? {
        guard try await node.status(of: path) != nil else { return nil }
        guard let state = try? JSONDecoder().decode(MigrationState.self, from: Data(try await node.read(path))) else {
            throw Failure(
                .permanent,
                code: "migration-record-damaged",
                "\(path) is no record of a migration",
                hint: "name the right file with --record; without its record a migration cannot go on"
            )
        }
        return state
    }

    /// Replaces it, atomically.
    public func write(_ state: MigrationState?) async throws {
        guard let state else {
            if try await node.status(of: path) != nil { try await node.remove(path) }
            return
        }
        let directory = path.removingLastComponent()
        if try await node.status(of: directory) == nil {
            try await node.makeDirectory(directory, attributes: FileAttributes(mode: 0o700))
        }
        try await node.write(
            try encodeForStore(state),
            to: path,
            attributes: FileAttributes(mode: 0o600)
        )
    }
}
