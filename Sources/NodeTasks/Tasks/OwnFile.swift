// SPDX-License-Identifier: Apache-2.0
internal import NodeOS
internal import SystemPackage

/// A small configuration file that a task keeps for itself, beside something live in the kernel.
struct OwnFile: Sendable {
    let path: FilePath
    let text: String

    /// The text found; `nil` when there is no file.
    func find(on node: any NodeReader) async throws -> String? { try await node.text(of: path) }

    func write(on node: any NodeWriter) async throws { try await node.writeOwn(text, to: path) }

    func remove(on node: any NodeWriter) async throws { try await node.remove(path) }
}
