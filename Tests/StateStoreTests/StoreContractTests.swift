// SPDX-License-Identifier: Apache-2.0
import NodeTesting
import StateStore
import SystemPackage
import Testing

/// Every store obeys the same laws.
@Suite struct StoreContractTests {
    enum Backend: String, CaseIterable, CustomTestStringConvertible {
        case memory
        case file

        var testDescription: String { rawValue }

        func run(_ body: (any StateStore) async throws -> Void) async throws {
            switch self {
            case .memory: try await body(MemoryStore())
            case .file: try await withTemporaryDirectory { try await body(FileStore(url: "file://\($0)")) }
            }
        }
    }

    @Test(arguments: Backend.allCases, StoreContract.Law.allCases)
    func everyStoreKeepsTheLaws(_ backend: Backend, _ law: StoreContract.Law) async throws {
        try await backend.run { try await StoreContract($0).check(law) }
    }

    @Test(arguments: ["", "/a", "a/", "a//b", ".", "a/../b", "..", "a/./b", "a\0b"])
    func keysThatCouldLeaveTheStoreAreRefused(_ text: String) {
        #expect(throws: StoreError.self) { try StoreKey(text) }
    }
}
