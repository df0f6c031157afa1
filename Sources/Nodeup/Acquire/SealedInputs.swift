// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeBuilders
import NodeOS
import SystemPackage

/// The inputs of the last acquisition, kept on the machine so that the next run needs no store.
struct SealedInputs {
    let node: any NodeWriter

    /// What is sealed; `nil` when nothing is, or when it cannot be understood by this nodeup.
    func read() async throws -> NodeInputs? { try await Self.read(from: node) }

    /// What is sealed, for those who must not change the machine.
    static func read(from node: any NodeReader) async throws -> NodeInputs? {
        guard try await node.status(of: NodeInputs.path) != nil else { return nil }
        return try? JSONDecoder().decode(NodeInputs.self, from: Data(try await node.read(NodeInputs.path)))
    }

    /// What is sealed, where nothing can be done without it.
    ///
    /// - Throws: ``Failure`` `nothing-sealed`, which says what therefore cannot be done.
    static func required(on node: any NodeReader, for consequence: String) async throws -> NodeInputs {
        if let inputs = try await read(from: node) { return inputs }
        throw Failure(
            .permanent,
            code: "nothing-sealed",
            "\(NodeInputs.path) is not there or cannot be understood, so \(consequence)",
            hint: "nodeup apply"
        )
    }

    /// Seals inputs, readable by root only, unless the very same are sealed.
    func write(_ inputs: NodeInputs) async throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let bytes = try [UInt8](encoder.encode(inputs))
        if try await node.status(of: NodeInputs.path) != nil, try await node.read(NodeInputs.path) == bytes { return }
        try await node.makeDirectory(NodeInputs.path.removingLastComponent(), attributes: FileAttributes(mode: 0o700))
        try await node.write(bytes, to: NodeInputs.path, attributes: FileAttributes(mode: 0o600, uid: 0, gid: 0))
    }
}
