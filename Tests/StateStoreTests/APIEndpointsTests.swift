// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeTesting
import Synchronization
import Testing

@testable import StateStore

/// Control-plane machines that say at once where they answer.
@Suite struct APIEndpointsTests {
    private static let layout = ClusterLayout(clusterName: "a.example.com")
    private static let now = Date(timeIntervalSince1970: 1_700_000_000)

    /// Machines that publish their address some times, each time with the next port; what each was told has happened.
    private static func run(
        _ random: inout Seeded,
        machines: Int,
        faults: Int,
        _ negligence: SimulatedStore.Negligence = .none
    ) async throws -> [String: Int] {
        let store = SimulatedStore(faults: faults, negligence: negligence)
        let acknowledged = Mutex<[String: Int]>([:])
        func check() async throws {
            let records = try await APIEndpoints(store: store.snapshot(), layout: layout).records()
            for (name, port) in acknowledged.withLock({ $0 }) {
                guard let found = records[name], found.port >= port else {
                    throw Lost(description: "\(name) said \(port), and there is \(records)")
                }
            }
        }
        let seed = random.description
        let clients = (0..<machines).map { number in
            { @Sendable (store: any StateStore) async throws in
                let name = "control-plane-\(number)"
                let endpoints = try APIEndpoints(store: store, layout: layout)
                if number.isMultiple(of: 2) { try await endpoints.prepare() }
                for port in 1...2 {
                    try await endpoints.publish(
                        EndpointRecord(address: "10.0.0.\(number)", port: port, updated: now),
                        of: name
                    )
                    acknowledged.withLock { $0[name] = port }
                }
            }
        }
        do {
            try await store.run(&random, clients: clients) { _ in try await check() }
            try await check()
        } catch {
            throw Lost(description: "\(seed): \(error)\n" + store.trace.joined(separator: "\n"))
        }
        return acknowledged.withLock { $0 }
    }

    private struct Lost: Error, CustomStringConvertible {
        let description: String
    }

    @Test(arguments: Seeded.seeds(100)) func nobodysRecordIsLost(_ seed: UInt64) async throws {
        var random = Seeded(seed)
        let machines = Int.random(in: 1...7, using: &random)
        let told = try await Self.run(&random, machines: machines, faults: 0)
        // Without faults every machine gets through.
        #expect(told.count == machines && told.values.allSatisfy { $0 == 2 }, "\(random): \(told)")
    }

    @Test(arguments: Seeded.seeds(300)) func norWhenMachinesDieAndAnswersAreLost(_ seed: UInt64) async throws {
        var random = Seeded(seed)
        let machines = Int.random(in: 2...7, using: &random)
        _ = try await Self.run(&random, machines: machines, faults: 20)
    }

    /// A proof that finds nothing proves nothing.
    @Test(arguments: [SimulatedStore.Negligence.ignoresAbsent, .ignoresVersions])
    func whatACarelessStoreLosesIsFound(_ negligence: SimulatedStore.Negligence) async throws {
        for seed in 1...UInt64(300) {
            var random = Seeded(seed)
            do {
                _ = try await Self.run(&random, machines: 3, faults: 0, negligence)
            } catch is Lost {
                return
            }
        }
        Issue.record("300 schedules do not find it")
    }

    /// The empty object is made once, and never in the place of what is there.
    @Test func preparingNeverTakesAway() async throws {
        let store = MemoryStore()
        let endpoints = try APIEndpoints(store: store, layout: Self.layout)
        #expect(try await endpoints.records().isEmpty)
        try await endpoints.prepare()
        #expect(try await store.read(Self.layout.endpoints()) != nil)
        let record = EndpointRecord(address: "10.0.0.1", port: 443, updated: Self.now)
        try await endpoints.publish(record, of: "a")
        try await endpoints.publish(record, of: "b")
        try await endpoints.prepare()
        #expect(try await endpoints.records() == ["a": record, "b": record])
        try await endpoints.remove("a")
        try await endpoints.remove("a")
        #expect(try await endpoints.records() == ["b": record])
        try await store.write([1], to: Self.layout.endpoints(), when: .always)
        let error = await #expect(throws: StoreError.self) { try await endpoints.publish(record, of: "a") }
        #expect(error?.code == "store-object-damaged")
        #expect(try await store.read(Self.layout.endpoints())?.bytes == [1], "what is not understood is not replaced")
    }
}
