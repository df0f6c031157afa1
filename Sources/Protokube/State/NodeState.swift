// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import StateStore
import SystemPackage

/// What nodeup left on this machine for protokube.
struct NodeState: Sendable {
    let node: any NodeWriter

    /// The sealed inputs as they are now: nodeup may seal newer ones at any time.
    ///
    /// - Throws: ``Failure`` `not-sealed` (waiting), `inputs-damaged`, `not-control-plane` (permanent).
    func inputs() async throws -> NodeInputs {
        guard try await node.status(of: NodeInputs.path) != nil else {
            throw Failure(
                .waiting,
                code: "not-sealed",
                "\(NodeInputs.path) is not there: nodeup has not acquired this machine's inputs",
                hint: "nodeup status"
            )
        }
        let inputs: NodeInputs
        do {
            inputs = try JSONDecoder().decode(NodeInputs.self, from: Data(try await node.read(NodeInputs.path)))
        } catch is DecodingError {
            // The decoder's own words could quote a key.
            throw Failure(
                .permanent,
                code: "inputs-damaged",
                "\(NodeInputs.path) cannot be understood",
                hint: "run `nodeup apply` with the nodeup of this release"
            )
        }
        guard inputs.config.controlPlane != nil else {
            throw Failure(
                .permanent,
                code: "not-control-plane",
                "instance group \(inputs.config.instanceGroup) is no control plane, and protokube is for no other",
                hint: "systemctl disable --now protokube"
            )
        }
        return inputs
    }

    /// What opens that which is sealed to the control plane; `nil` on a machine that was given none.
    ///
    /// - Throws: ``Failure`` `reader-key-damaged` (permanent).
    func readerKey() async throws -> ReaderKey? {
        let path = FilePath(ReaderKey.path)
        guard try await node.status(of: path) != nil else { return nil }
        do {
            return try ReaderKey(decoding: try await node.read(path))
        } catch let error as KeyringError {
            throw Failure(.permanent, code: "reader-key-damaged", "\(path) cannot be used", cause: error)
        }
    }
}
