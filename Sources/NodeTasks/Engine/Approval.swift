// SPDX-License-Identifier: Apache-2.0
internal import NodeOS

/// The changes that someone saw in a plan and approved.
struct Approval: Sendable {
    private let lines: [TaskID: Set<String>]

    init(_ plan: Plan) {
        lines = Dictionary(
            plan.entries.map { ($0.id, Set($0.changes.map(Self.line))) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// Refuses what was not approved; less than was approved is no surprise.
    func check(_ changes: [Change], of id: TaskID) throws {
        guard let other = changes.first(where: { lines[id]?.contains(Self.line($0)) != true }) else { return }
        throw Failure(
            .permanent,
            code: "plan-outdated",
            "\(id) would now change what the approved plan does not have: \(other)",
            hint: "something changed since the plan was made; look at a new plan and approve that"
        )
    }

    private static func line(_ change: Change) -> String {
        "\(change.field) \(change.from?.full ?? "") > \(change.to?.full ?? "")"
    }
}
