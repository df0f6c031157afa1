// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeOS
import NodeTasks
import ObjectStores
import StateStore
import SystemPackage

/// Compares the machine with what it was last told to be, and reports to the store.
struct DriftCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drift",
        abstract: "Report how this machine differs from what it was last told to be.",
        discussion: """
            Plans from the sealed inputs of the last apply, changes nothing on this machine, and writes the differences \
            to its status in the cluster's store. While another nodeup changes the machine, nothing is reported.
            """
    )

    func run() async throws {
        let run = DriftRun(node: LiveNode(), lock: { try RunLock.look(below: "/") }, now: { Date() })
        switch try await run.compare() {
        case .disturbed(let lock):
            Console.print(
                "another nodeup\(lock.owner) \(lock.isHeld ? "changes" : "has just changed") this machine: no report"
            )
        case .compared(let plan, let report, let inputs):
            Console.print(plan.text + "drift \(report.digest)")
            try await DriftRun.publish(report, of: inputs.boot.clusterName, to: try openStore(inputs.boot.store))
            if !report.isAsDeclared { throw ExitCode(2) }
        }
    }
}
