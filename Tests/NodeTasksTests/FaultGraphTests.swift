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

        /// One error an attempt; "for ever" outlasts every deadline.
        var errors: [Failure] {
            switch self {
            case .done, .stubborn: []
            case .transientOnce: [failure(.transient)]
            case .waitingOnce: [failure(.waiting)]
            case .permanent: Array(repeating: failure(.permanent), count: 100)
            case .transientForever: Array(repeating: failure(.transient), count: 100)
            case .waitingForever: Array(repeating: failure(.waiting), count: 100)
            }
        }

        /// What a task may do that waits together with others for the same thing.
        static let inBatch: [Fate] = allCases.filter { $0 != .waitingForever }

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
                if Int.random(in: 0..<4, using: &random) == 0 { stubs[index].lane = "lane" }
                let fates = stubs[index].lane == nil ? Fate.allCases + [.done, .done, .done] : Fate.inBatch
                let fate = fates.randomElement(using: &random) ?? .done
                self.fates[stubs[index].id] = fate
                stubs[index].isStubborn = fate == .stubborn
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
        var ancestors: [TaskID: Set<TaskID>] = [:]
        for record in report.tasks {
            let before = graph.dependencies(of: record.id)
            let above = before.filter(lost.contains)
            ancestors[record.id] = Set(before).union(before.flatMap { ancestors[$0] ?? [] })
            switch record.outcome {
            case .converged, .changed: #expect(above.isEmpty && !roots.contains(record.id), "\(random) \(record.id)")
            case .failed(let failure):
                #expect(above.isEmpty && failure.hint != nil, "\(random) \(record.id)")
                #expect(failure.code == code(of: tried.fates[record.id]), "\(random) \(record.id) \(failure)")
            case .notReached(because: let cause):
                #expect(!above.isEmpty && record.attempts == 0 && record.changes.isEmpty, "\(random) \(record.id)")
                #expect(roots.contains(cause), "\(random) \(record.id)")
                #expect(ancestors[record.id]?.contains(cause) == true, "\(random) \(record.id)")
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
}
