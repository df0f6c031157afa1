// SPDX-License-Identifier: Apache-2.0
import KopsModel
import StateStore

/// What every machine of a cluster says of how it differs from what it was told to be.
struct DriftBoard: Sendable, Equatable {
    /// What a report is called below a machine's status.
    static let name = "drift.json"

    /// The reports, by machine.
    var reports: [String: DriftReport] = [:]
    /// The machines whose report cannot be read.
    var damaged: Set<String> = []
    /// The machines that have reported anything at all.
    var machines: Set<String> = []

    /// Reads all reports; one that vanishes while being read is left out.
    static func read(of cluster: String, in store: any StateStore) async throws -> DriftBoard {
        var board = DriftBoard()
        for key in try await store.list(ClusterLayout(clusterName: cluster).statuses()) {
            guard let machine = key.parts.dropLast().last else { continue }
            board.machines.insert(machine)
            guard key.parts.last == name, let object = try await store.read(key) else { continue }
            if let report = try? DriftReport(parsing: object.bytes), report.instance == machine {
                board.reports[machine] = report
            } else {
                board.damaged.insert(machine)
            }
        }
        return board
    }
}
