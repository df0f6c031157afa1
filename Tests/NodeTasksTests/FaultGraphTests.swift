// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTasks
import NodeTesting
import Testing

/// What random failures do to random graphs: only what depends on them is lost.
struct FaultGraphTests {
    /// How a task of a random graph goes.
    private enum Fate: CaseIterable {
        case done
        case permanent
        case transientOnce
        case transientForever
        case waitingOnce
        case waitingForever
        case stubborn

        var errors: [Failure] {
            switch self {
            case .done, .stubborn: []
            case .permanent: [failure(.permanent)]
            case .transientOnce: [failure(.transient)]
            case .transientForever: (0..<1000).map { _ in failure(.transient) }
            case .waitingOnce: [failure(.waiting)]
            case .waitingForever: (0..<1000).map { _ in failure(.waiting) }
            }
        }

        var fails: Bool {
            switch self {
            case .done, .transientOnce, .waitingOnce: false
            case .permanent, .transientForever, .waitingForever, .stubborn: true
            }
        }

        private func failure(_ kind: Failure.Class) -> Failure {
            Failure(kind, code: "broken-\(kind.rawValue)", "do it", hint: "mend it")
        }
    }

    private struct Case {
        var stubs: [StubTask]
        var fates: [TaskID: Fate]

        /// The tasks that fail when they are reached and the tasks above them do not.
        func roots(_ graph: StubGraph) -> Set<TaskID> {
            var lost: Set<TaskID> = []
            var roots: Set<TaskID> = []
            for id in graph.ids {
                if graph.dependencies(of: id).contains(where: lost.contains) {
                    lost.insert(id)
                } else if fates[id]?.fails == true {
                    roots.insert(id)
                    lost.insert(id)
                }
            }
            return roots
        }

        init(_ random: inout Seeded) {
            let count = Int.random(in: 1...25, using: &random)
            stubs = (0..<count).map { StubTask(id: TaskID("t\($0)")) }
            fates = [:]
            for index in stubs.indices {
                for other in 0..<index where Int.random(in: 0..<6, using: &random) == 0 {
                    stubs[index].after.append(stubs[other].id)
                }
                let fate: Fate =
                    Bool.random(using: &random) ? .done : Fate.allCases.randomElement(using: &random) ?? .done
                fates[stubs[index].id] = fate
                stubs[index].isStubborn = fate == .stubborn
                if Int.random(in: 0..<4, using: &random) == 0 { stubs[index].lane = "lane" }
            }
            stubs.shuffle(using: &random)
        }
    }

    @Test("only what depends on a failure is lost, and the roots are named", arguments: Seeded.seeds(150))
    func lost(seed: UInt64) async throws {
        var random = Seeded(seed)
        let tried = Case(&random)
        let graph = try StubGraph(stubs: tried.stubs)
        let roots = tried.roots(graph)
        let ledger = Ledger()
        for (id, fate) in tried.fates { ledger.fail(id, with: fate.errors) }
        let options = ConvergeOptions(
            width: Int.random(in: 1...5, using: &random),
            clock: SimulatedClock(),
            random: Seeded(seed)
        )
        let report = await graph.converge(on: ledger, reader: ledger, options: options)

        #expect(report.tasks.map(\.id) == graph.ids, "\(random)")
        #expect(Set(report.rootFailures.map(\.id)) == roots, "\(random)\n\(report.text)")
        var lost = roots
        for record in report.tasks {
            let above = graph.dependencies(of: record.id).filter(lost.contains)
            switch record.outcome {
            case .converged, .changed: #expect(above.isEmpty && !roots.contains(record.id), "\(random) \(record.id)")
            case .failed(let failure):
                #expect(above.isEmpty && failure.hint != nil, "\(random) \(record.id)")
                #expect(failure.code == code(of: tried.fates[record.id]), "\(random) \(record.id) \(failure)")
            case .notReached(because: let cause):
                #expect(!above.isEmpty && record.attempts == 0 && record.changes.isEmpty, "\(random) \(record.id)")
                #expect(roots.contains(cause), "\(random) \(record.id)")
                #expect(isAbove(cause, record.id, graph), "\(random) \(cause) is not above \(record.id)")
                lost.insert(record.id)
            }
        }
        // Whoever reads the text finds each root once with its remedy, and no other task accused.
        let accused = report.text.split(separator: "\n").filter { $0.hasPrefix("! ") }.map { String($0.dropFirst(2)) }
        #expect(accused == report.rootFailures.map(\.id.name), "\(random)\n\(report.text)")
        #expect(Set(ledger.order).isDisjoint(with: lost.subtracting(stubborn(tried))), "\(random)")
    }

    private func code(of fate: Fate?) -> String? {
        fate == .stubborn ? "did-not-converge" : fate?.errors.first?.code
    }

    /// These are done over and over, and never as declared.
    private func stubborn(_ tried: Case) -> Set<TaskID> { Set(tried.fates.filter { $0.value == .stubborn }.keys) }

    private func isAbove(_ id: TaskID, _ other: TaskID, _ graph: StubGraph) -> Bool {
        graph.dependencies(of: other).contains { $0 == id || isAbove(id, $0, graph) }
    }
}
