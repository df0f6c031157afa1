// SPDX-License-Identifier: Apache-2.0
internal import NodeOS
internal import SystemPackage

/// A restart that is owed, as a file: written before the first change a service has to follow, removed after the
/// restart, so that a crash between the two is found by the next run.
///
/// It lies in `/run`, which a reboot empties: a service started by a boot has read what is on the disk.
struct RestartMarker {
    static let directory: FilePath = "/run/kopslite/restart"
    let path: FilePath

    init(unit: String) { path = Self.directory.appending(unit) }

    func isSet(on node: any NodeReader) async throws -> Bool { try await node.status(of: path) != nil }

    func set(because task: TaskID, on node: any NodeWriter) async throws {
        guard try await !isSet(on: node) else { return }
        try await node.writeOwn("\(task)\n", to: path)
    }

    func clear(on node: any NodeWriter) async throws {
        if try await isSet(on: node) { try await node.remove(path) }
    }
}
