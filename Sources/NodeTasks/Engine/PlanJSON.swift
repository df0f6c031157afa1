// SPDX-License-Identifier: Apache-2.0
internal import FoundationEssentials
internal import NodeOS

/// The shape of ``Plan/json``.
struct PlanJSON: Encodable {
    struct Task: Encodable {
        var id: String
        var action: String
        var changes: [ChangeJSON]
        var failure: FailureJSON?
    }

    var digest: String
    var total: Int
    var converged: Int
    /// The tasks that are not converged.
    var tasks: [Task]

    init(plan: Plan) {
        digest = plan.digest
        total = plan.entries.count
        converged = plan.entries.count { $0.action == .none }
        tasks = plan.entries.filter { $0.action != .none }.map { entry in
            Task(
                id: entry.id.name,
                action: entry.action.rawValue,
                changes: entry.changes.map(ChangeJSON.init),
                failure: entry.failure.map(FailureJSON.init)
            )
        }
    }
}

/// The shape of one change: digests in full, secrets never.
struct ChangeJSON: Encodable {
    var field: String
    var from: String?
    var to: String?
    var diff: String?

    init(_ change: Change) {
        diff = change.diff
        field = change.field
        from = change.from?.full
        to = change.to?.full
    }
}

/// The shape of a failure.
struct FailureJSON: Codable, Equatable {
    var kind: String
    var code: String
    var message: String
    var hint: String?

    private enum CodingKeys: String, CodingKey {
        case kind = "class"
        case code
        case message
        case hint
    }

    init(_ failure: Failure) {
        kind = failure.kind.rawValue
        code = failure.code
        message = failure.chain
        hint = failure.hint
    }
}
