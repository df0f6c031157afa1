// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
public import KopsModel

/// Where a cluster's API servers answer: one object that control-plane machines change by compare-and-swap.
public struct APIEndpoints: Sendable {
    private let store: any StateStore
    private let key: StoreKey

    /// Makes the endpoints of a cluster.
    ///
    /// - Throws: ``StoreError/badKey(_:)``.
    public init(store: any StateStore, layout: ClusterLayout) throws(StoreError) {
        self.store = store
        key = try layout.endpoints()
    }

    /// The records by machine; empty before the first.
    ///
    /// - Throws: ``StoreError``.
    public func records() async throws -> [String: EndpointRecord] { try await found().records }

    /// Makes the empty object, so that a worker who may not list can tell "none yet" from "not allowed".
    public func prepare() async throws {
        guard try await store.read(key) == nil else { return }
        do {
            try await store.write(encodeForStore([String: EndpointRecord]()), to: key, when: .absent)
        } catch StoreError.conflict {}
    }

    /// Puts a machine's record in the place of its last one; the others' stay.
    ///
    /// - Throws: ``StoreError/conflict(key:expected:found:)`` when others were faster time after time.
    public func publish(_ record: EndpointRecord, of instance: String) async throws {
        try await change { $0[instance] = record }
    }

    /// Removes the record of a machine that is gone.
    ///
    /// - Throws: As ``publish(_:of:)``.
    public func remove(_ instance: String) async throws { try await change { $0[instance] = nil } }

    private func change(_ edit: (inout [String: EndpointRecord]) -> Void) async throws {
        var triesLeft = Self.tries
        while true {
            triesLeft -= 1
            let (before, version) = try await found()
            var records = before
            edit(&records)
            if records == before { return }
            do {
                let condition = version.map { WriteCondition.version($0) } ?? .absent
                try await store.write(encodeForStore(records), to: key, when: condition)
                return
            } catch StoreError.conflict where triesLeft > 0 {}
        }
    }

    /// More than a cluster has control-plane machines: each loses to each of the others once at the most.
    private static let tries = 16

    private func found() async throws -> (records: [String: EndpointRecord], version: ObjectVersion?) {
        guard let object = try await store.read(key) else { return ([:], nil) }
        guard let records = try? JSONDecoder().decode([String: EndpointRecord].self, from: Data(object.bytes)) else {
            throw StoreError.corrupt(key: key.description, reason: "it is no JSON of API endpoints")
        }
        return (records, object.version)
    }
}
