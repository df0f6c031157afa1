// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Testing

@testable import StateStore

/// A store that ignores what some conditions ask for, as some do behind an S3 API.
private struct CarelessStore: StateStore {
    enum Fault: CaseIterable {
        case ignoresAbsent
        case ignoresVersions
        case ignoresVersionsOnRemove
        case readsOld
    }

    let real = MemoryStore()
    let fault: Fault
    var url: String { "memory://careless" }

    func read(_ key: StoreKey) async throws -> StoredObject? {
        guard fault == .readsOld, let found = await real.read(key) else { return await real.read(key) }
        return StoredObject(bytes: [1], version: found.version)
    }
    func list(_ prefix: StoreKey) async throws -> [StoreKey] { await real.list(prefix) }
    func write(_ bytes: [UInt8], to key: StoreKey, when condition: WriteCondition) async throws -> ObjectVersion {
        let ignores = condition == .absent ? fault == .ignoresAbsent : fault == .ignoresVersions
        return try await real.write(bytes, to: key, when: ignores ? .always : condition)
    }
    func remove(_ key: StoreKey, when condition: WriteCondition) async throws {
        try await real.remove(key, when: fault == .ignoresVersionsOnRemove ? .always : condition)
    }
}

@Suite struct StoreMarkerTests {
    let now = Date(timeIntervalSince1970: 1_700_000_000)

    @Test(arguments: StoreContractTests.Backend.allCases)
    func aGoodStoreIsMarkedOnceAndHoldsNothingElse(_ backend: StoreContractTests.Backend) async throws {
        try await backend.run { store in
            try await StoreMarker.ensure(in: store, now: now)
            let marked = try await store.read(StoreKey(StoreMarker.name))
            try await StoreMarker.ensure(in: store, now: now.addingTimeInterval(60))
            #expect(try await store.read(StoreKey(StoreMarker.name)) == marked)
            #expect(try await store.list(StoreKey(parts: [])).map(\.description) == [StoreMarker.name])
        }
    }

    @Test(arguments: [CarelessStore.Fault.ignoresAbsent, .ignoresVersions, .readsOld])
    fileprivate func aCarelessStoreIsRefusedAndLeftEmpty(_ fault: CarelessStore.Fault) async throws {
        let store = CarelessStore(fault: fault)
        let error = await #expect(throws: StoreError.self) { try await StoreMarker.ensure(in: store, now: now) }
        #expect(error?.code == "store-unconditional")
        #expect(await store.real.list(try StoreKey(parts: [])).isEmpty)
    }

    @Test func removesWithoutConditionsAreNotedAndTolerated() async throws {
        let store = CarelessStore(fault: .ignoresVersionsOnRemove)
        try await StoreMarker.ensure(in: store, now: now)
        let object = try #require(await store.real.read(StoreKey(StoreMarker.name)))
        #expect(try JSONDecoder().decode(StoreMarker.self, from: Data(object.bytes)).conditionalRemoves == false)
    }

    @Test(arguments: [("{\"format\": 2}", "store-newer"), ("{", "store-object-damaged"), ("", "store-object-damaged")])
    func aStoreOfANewerReleaseIsNotTouched(_ text: String, _ code: String) async throws {
        let store = MemoryStore()
        try await store.write(Array(text.utf8), to: StoreKey(StoreMarker.name), when: .always)
        let error = await #expect(throws: StoreError.self) { try await StoreMarker.ensure(in: store, now: now) }
        #expect(error?.code == code)
        #expect(await store.list(try StoreKey(parts: [])).count == 1)
    }
}
