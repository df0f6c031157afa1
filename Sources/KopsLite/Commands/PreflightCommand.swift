// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `preflight NAME` tries what machines will do before there are any.
struct PreflightCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "preflight",
        abstract: "Try every read, write and download that a cluster's machines will do, before there are any.",
        discussion: """
            With KOPSLITE_MACHINE_CREDENTIALS, with the machines' own credentials; otherwise with the operator's, narrowed to \
            what each role may do. Exit status: 0 all went well, 2 something did not.
            """
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try await repository.resolved(try nameOption.resolve(clusterName, in: session))
        let checks = await session.preflight(repository, cluster).run()
        for trace in try RoleTrial.traces(of: cluster.machines, in: ClusterLayout(clusterName: cluster.name)) {
            try? await repository.store.remove(trace, when: .always)
        }
        for check in checks {
            guard let failure = check.failure else {
                session.console.line("\(check.note)\t\(check.subject)")
                continue
            }
            session.console.line("FAILED\t\(check.subject): \(failure.message) [\(failure.code)]")
            if !failure.hint.isEmpty { session.console.line("\thint: \(failure.hint)") }
        }
        let failed = checks.count { $0.failure != nil }
        session.console.line()
        session.console.line("\(checks.count - failed) went well, \(failed) failed")
        guard failed == 0 else { throw CommandFailure(lines: [], exitCode: 2) }
    }
}
