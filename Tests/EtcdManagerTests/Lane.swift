// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What was to be done beside the looks, and is when the test says so.
final class Lane: Sendable {
    private let works = Mutex<[@Sendable () async -> Void]>([])
    func add(_ work: @escaping @Sendable () async -> Void) { works.withLock { $0.append(work) } }
    var count: Int { works.withLock(\.count) }
    func run() async {
        let due = works.withLock { works in
            defer { works = [] }
            return works
        }
        for work in due { await work() }
    }
}
