// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel

extension ClusterValidation {
    /// Agents that have failed, are at it again after a failure, or have ceased to report, and reports that cannot be read.
    func agentProblems() -> [ValidationReport.Problem] {
        let reports = observation.board.reports
        let failed = reports.filter { $0.phase == .failed || ($0.phase != .converged && $0.failure != nil) }
        let damaged = observation.board.damaged.map { key in
            ValidationReport.Problem(kind: "Report", name: key, message: "the report in the state store cannot be read")
        }
        return failed.map { Self.row(of: $0, "failed") } + silentAgents() + damaged
    }

    /// What fails at agents that have converged nevertheless, each with what to do about it.
    func agentWarnings() -> [ValidationReport.Problem] {
        observation.board.reports.filter { $0.phase == .converged && $0.failure != nil }.map { report in
            Self.row(of: report, "has converged, but")
        }
    }

    /// Agents that run always and have ceased to report, on machines that there are.
    private func silentAgents() -> [ValidationReport.Problem] {
        let known = cluster.groups.reduce(into: Set(cluster.machines.map(\.name))) { all, group in
            all.formUnion(machines(of: group.metadata.name))
        }
        return observation.board.reports.filter { report in
            report.isStale(at: observation.taken) && known.contains(report.instance)
        }.map { report in
            .init(
                kind: "Machine",
                name: report.instance,
                message: "\(report.agent) has not reported for \(Age.text(report.age(at: observation.taken)));"
                    + " see systemctl status \(report.agent) there"
            )
        }
    }

    private static func row(of report: AgentStatus, _ verb: String) -> ValidationReport.Problem {
        let failure = report.failure ?? AgentFailure(code: "unknown", message: "the agent gave no reason")
        let hint = failure.hint.isEmpty ? "" : "; \(failure.hint)"
        return .init(
            kind: "Machine",
            name: report.instance,
            message: "\(report.agent) \(verb): [\(failure.code)] \(failure.message)\(hint)"
        )
    }
}
