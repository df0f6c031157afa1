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

    var total: Int
    var converged: Int
    /// The tasks that are not converged.
    var tasks: [Task]

    init(plan: Plan) {
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

    init(_ change: Change) {
        field = change.field
        from = change.from.map(Self.text)
        to = change.to.map(Self.text)
    }

    private static func text(_ shown: Change.Shown) -> String {
        switch shown {
        case .text(let text): text
        case .digest(let hex, let bytes): "sha256:\(hex) \(bytes) B"
        case .secret: "<secret>"
        }
    }
}

/// The shape of a failure.
struct FailureJSON: Encodable {
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
