// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import StateStore

/// What every machine of a cluster says of itself.
struct StatusBoard: Sendable, Equatable {
    /// All reports, sorted by machine, then by agent.
    var reports: [AgentStatus] = []
    /// Keys of reports that cannot be read, sorted.
    var damaged: [String] = []

    /// Reads all reports.
    ///
    /// One that vanishes while being read is left out; one that is damaged is named.
    static func read(of cluster: String, in store: any StateStore) async throws -> StatusBoard {
        var board = StatusBoard()
        for key in try await store.list(ClusterLayout(clusterName: cluster).statuses())
        where key.parts.last?.hasSuffix(".json") == true && key.parts.last != DriftBoard.name {
            guard let object = try await store.read(key) else { continue }
            if let report = try? AgentStatus(parsing: object.bytes) {
                board.reports.append(report)
            } else {
                board.damaged.append(key.description)
            }
        }
        board.reports.sort { ($0.instance, $0.agent) < ($1.instance, $1.agent) }
        return board
    }

    /// The report that tells most of a machine: a failed one, else the one furthest from its end.
    func decisive(of instance: String) -> AgentStatus? {
        reports.filter { $0.instance == instance }.min { Self.rank($0.phase) < Self.rank($1.phase) }
    }

    /// What an agent of a machine reports.
    func report(of agent: String, on instance: String) -> AgentStatus? {
        reports.first { $0.instance == instance && $0.agent == agent }
    }

    /// How long ago any agent of a machine last reported, in seconds; `nil` where none ever did.
    func age(of instance: String, at now: Date) -> TimeInterval? {
        reports.filter { $0.instance == instance }.map { $0.age(at: now) }.min()
    }

    /// Where a machine is, in one line, such as `nodeup converging, task 12 of 40: package:docker.io`.
    func summary(of instance: String) -> String? {
        guard let report = decisive(of: instance) else { return nil }
        var text = "\(report.agent) \(report.phase.rawValue)"
        if report.tasksTotal > 0, report.phase != .converged {
            text += ", task \(report.tasksDone) of \(report.tasksTotal)"
        }
        return report.activity.isEmpty ? text : "\(text): \(report.activity)"
    }

    private static func rank(_ phase: AgentPhase) -> Int {
        switch phase {
        case .failed: 0
        case .acquiring: 1
        case .downloading: 2
        case .converging: 3
        case .waiting: 4
        case .converged: 5
        }
    }
}
