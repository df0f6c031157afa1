// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import NodeTasks
import StateStore

/// A look at how far the machine is from what it was last told to be; changes nothing on it.
struct DriftRun: Sendable {
    let node: any NodeReader
    /// What can be seen of the run lock now.
    let lock: @Sendable () throws -> RunLock.Sight
    let now: @Sendable () -> Date

    /// How a look ended.
    enum Outcome: Sendable {
        case compared(Plan, DriftReport, with: NodeInputs)
        /// A run is changing the machine, so what was seen says nothing.
        case disturbed(by: RunLock.Sight)
    }

    /// Compares the machine with its sealed inputs; no store and no network is needed.
    ///
    /// - Throws: ``Failure`` `nothing-sealed` when the machine was never told anything.
    func compare() async throws -> Outcome {
        let before = try lock()
        guard !before.isHeld else { return .disturbed(by: before) }
        let inputs = try await SealedInputs.required(on: node, for: "there is nothing to compare this machine with")
        let plan = try await NodeTaskGraph(try NodeGraph.tasks(for: inputs)).plan(on: node)
        let report = try DriftReport(plan, for: inputs, checked: now())
        // A run may have begun meanwhile, and may even be done.
        let after = try lock()
        return after == before ? .compared(plan, report, with: inputs) : .disturbed(by: after)
    }

    /// Writes the report beside the machine's other ones.
    ///
    /// - Throws: ``Failure`` `drift-unreported`.
    static func publish(_ report: DriftReport, of cluster: String, to store: any StateStore) async throws {
        do {
            let key = try ClusterLayout(clusterName: cluster).drift(on: report.instance)
            try await store.write(try report.encoded(), to: key, when: .always)
        } catch {
            throw Failure(
                .transient,
                code: "drift-unreported",
                "the report of \(report.instance) cannot be written to the state store \(store.url)",
                hint: "check that the store is there and that this machine may write its status",
                cause: error
            )
        }
    }
}
