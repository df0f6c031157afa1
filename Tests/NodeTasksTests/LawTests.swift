// SPDX-License-Identifier: Apache-2.0
import NodeTasks
import NodeTesting
import Testing

/// Every kind of task keeps the five laws, from every kind of state it can find.
struct LawTests {
    @Test("1: where something is to be done, the plan says so", arguments: KindCase.all)
    func planIsNotEmpty(_ kind: KindCase) async throws { try await kind.contract.planIsNotEmpty() }

    @Test("2: after a run the plan is empty", arguments: KindCase.all)
    func convergedPlanIsEmpty(_ kind: KindCase) async throws { try await kind.contract.convergedPlanIsEmpty() }

    @Test("3: a plan changes nothing", arguments: KindCase.all)
    func planChangesNothing(_ kind: KindCase) async throws { try await kind.contract.planChangesNothing() }

    @Test("4: killed after any write, the next run leads to the same machine", arguments: KindCase.all)
    func survivesCrashes(_ kind: KindCase) async throws { try await kind.contract.survivesCrashes() }

    @Test("5: equal input gives an equal plan", arguments: KindCase.all)
    func equalPlans(_ kind: KindCase) async throws { try await kind.contract.equalPlans() }

    @Test("no kind is left out")
    func everyKind() {
        let tried = Set(KindCase.all.flatMap { $0.tasks.map { $0.id.name.prefix { $0 != ":" } } }.map(String.init))
        #expect(tried == TasksFile.kindNames)
    }
}
