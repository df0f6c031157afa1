// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeBuilders
import NodeOS
import NodeTasks

/// A run that issues this machine's certificates anew where they are due, and touches nothing else.
///
/// It leaves neither a journal nor an ownership record: it creates nothing that the last apply did not declare, a pair
/// that was half written is found by the next look, and `nodeup status` goes on to tell of that apply.
struct RenewRun {
    let node: any NodeWriter

    /// Converges the certificates of the sealed inputs; no store and no network is needed.
    ///
    /// - Throws: ``Failure`` `nothing-sealed` when the machine was never told anything, and as `NodeGraph.tasks(for:)`.
    func converge() async throws -> ConvergeReport {
        let inputs = try await SealedInputs.required(on: node, for: "there is no certificate to renew")
        let graph = try NodeTaskGraph(try NodeGraph.certificates(for: inputs))
        return await graph.converge(on: node, reader: node, observer: WaitPrinter())
    }
}
