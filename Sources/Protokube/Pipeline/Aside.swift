// SPDX-License-Identifier: Apache-2.0

/// Work that a step has done beside the pipeline, one run after the other; what came of the last one is what the step says.
struct Aside<Outcome: Sendable>: Sendable {
    private let sideline: Sideline
    private let isUnderWay = Handover<Bool>()
    private let outcome = Handover<Result<Outcome, any Error>>()

    init(on sideline: Sideline) { self.sideline = sideline }

    /// What came of the last run; `nil` before the first has ended.
    ///
    /// - Throws: As the last run did.
    var last: Outcome? {
        get throws { try outcome.value?.get() }
    }

    /// Has it done once more, unless it is still under way.
    func begin(_ work: @escaping @Sendable () async throws -> Outcome) {
        guard isUnderWay.value != true else { return }
        isUnderWay.value = true
        sideline.add { [self] in
            do {
                outcome.value = .success(try await work())
            } catch {
                outcome.value = .failure(error)
            }
            isUnderWay.value = false
        }
    }

    /// Forgets what came of the last run.
    func forget() { outcome.value = nil }
}
