// SPDX-License-Identifier: Apache-2.0
import NodeOS
import SystemPackage

/// A directory for one run at a time, for root only; what a run that was killed has left in it goes before the next.
struct ScratchDirectory {
    let node: any NodeWriter
    let path: FilePath

    /// Runs a body with an empty directory, which is gone afterwards, whatever happens.
    func with<Value>(_ body: (FilePath) async throws -> Value) async throws -> Value {
        try await node.remove(path)
        try await node.makeDirectory(path, attributes: FileAttributes(mode: 0o700, uid: 0, gid: 0))
        let value: Value
        do {
            value = try await body(path)
        } catch {
            try? await node.remove(path)
            throw error
        }
        try await node.remove(path)
        return value
    }
}
