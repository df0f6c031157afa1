// SPDX-License-Identifier: Apache-2.0
import Crypto
import FoundationEssentials
import KopsModel
import NodeBuilders
import NodeTasks
import StateStore

extension DriftReport {
    /// What a plan says of the machine it was made for.
    ///
    /// - Throws: `EncodingError`, which no plan is known to cause.
    init(_ plan: Plan, for inputs: NodeInputs, checked: Date) throws {
        let differences = plan.entries.compactMap(Difference.init)
        self.init(
            instance: inputs.boot.instance,
            instanceGroup: inputs.config.instanceGroup,
            role: inputs.config.role,
            generation: inputs.followed.number,
            checked: checked,
            total: plan.entries.count,
            digest: try Self.digest(of: differences),
            differences: differences
        )
    }

    /// The digest of differences, in whatever order they come.
    ///
    /// Of a failure only its code counts: its words may name the machine, and two machines with one fault have one drift.
    static func digest(of differences: [Difference]) throws -> String {
        let sorted = differences.sorted { $0.id < $1.id }.map { difference in
            var difference = difference
            difference.failure = difference.failure.map { AgentFailure(code: $0.code, message: "") }
            return difference
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return SHA256.hash(data: try encoder.encode(sorted)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}

extension DriftReport.Difference {
    /// The difference of one task; `nil` when there is none.
    init?(_ entry: Plan.Entry) {
        let action: DriftReport.Action
        switch entry.action {
        case .none: return nil
        case .create: action = .create
        case .change: action = .change
        case .remove: action = .remove
        case .fail: action = .fail
        }
        self.init(
            id: entry.id.name,
            action: action,
            changes: entry.changes.map(\.description),
            failure: entry.failure.map(AgentFailure.init)
        )
    }
}
