// SPDX-License-Identifier: Apache-2.0
import KopsModel

/// Runs an update and says what it does, as kops words it.
struct UpdateReport {
    let update: ClusterUpdate
    let console: Console

    /// Shows the plan, or with confirmation applies it.
    func run(isConfirmed: Bool) async throws {
        let plan = try await update.plan()
        guard !plan.isEmpty else { return console.line(plan.text) }
        guard isConfirmed else {
            console.line(plan.text)
            console.line()
            return console.line("Must specify --yes to apply changes")
        }
        let console = console
        try await update.apply { console.line($0) }
        let name = update.cluster.name
        console.line()
        guard !update.leavesMachines else {
            console.line("The state is published; machines are made by others.")
            console.line()
            console.line("What a machine needs: kopslite toolbox boot-config, and kopslite toolbox reader-key")
            return
        }
        console.line("Cluster changes have been applied to the cloud.")
        console.line()
        console.line("Suggestions:")
        console.line(" * watch the machines: kopslite watch cluster \(name)")
        console.line(" * validate cluster: kopslite validate cluster \(name) --wait 10m")
        console.line(" * get a kubeconfig: kopslite export kubeconfig \(name) --admin")
    }
}
