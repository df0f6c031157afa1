// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import Testing

@testable import NodeOS

/// What is broken on a machine, and the class, code and remedy it is told with.
@Suite struct FaultTableTests {
    static let rows = units + packages + images + accounts + mounts + disks + kernel + programs

    @Test("each fault has its class, code and remedy", arguments: rows)
    func fault(_ row: Fault<FaultBench>) async throws {
        try await FaultBench.using { try await row.check(on: $0) }
    }

    @Test func thereAreEnough() {
        #expect(Self.rows.count >= 55 && Set(Self.rows.map(\.description)).count == Self.rows.count)
    }
}
