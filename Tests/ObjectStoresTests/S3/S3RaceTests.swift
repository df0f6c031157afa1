// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import StateStore
import Synchronization
import Testing

@testable import ObjectStores

/// Two operators at one real server, again and again.
@Suite struct S3RaceTests {
    private static let layout = ClusterLayout(clusterName: "a.example.com")
    private static let key = SigningKey(notAfter: .distantFuture)
    private static let races = 200

    private static func reader(_ store: any StateStore) -> GenerationReader {
        GenerationReader(store: store, layout: layout, trust: HeadTrust([key.trusted]))
    }

    /// What the operators were told.
    private final class Ledger: Sendable {
        let tokens = Mutex<[String]>([])
        let acknowledged = Mutex<[String]>([])
        let isDone = Mutex(false)
    }

    /// Edits the declaration and publishes it; whether that was acknowledged.
    private static func operate(_ store: any StateStore, _ token: String) async throws -> Bool {
        var isEdited = false
        while !isEdited {
            let found = try await store.read(layout.cluster())
            let text = String(decoding: found?.bytes ?? [], as: UTF8.self) + token + "\n"
            do {
                let condition = found.map { WriteCondition.version($0.version) } ?? .absent
                try await store.write(Array(text.utf8), to: layout.cluster(), when: condition)
                isEdited = true
            } catch StoreError.conflict {
            }
        }
        do {
            let previous = try await reader(store).head()
            let declared = try await store.read(layout.cluster())?.bytes ?? []
            try await GenerationWriter(store: store, layout: layout, signers: [key], author: token)
                .publish(objects: ["spec/cluster.json": declared], previous: previous, message: token, now: Date())
            return true
        } catch let error as GenerationError where error.code == "generation-raced" {
            return false
        }
    }

    @Test func noneOfTwoHundredRacesLosesAnything() async throws {
        try await MotoServer.run { server in
            // A client each, as two operators have, and one who looks at what is in force all the while.
            let (one, two, watcher) = (try server.store(), try server.store(), try server.store())
            let ledger = Ledger()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var last = 0
                    while !ledger.isDone.withLock({ $0 }) {
                        guard try await Self.reader(watcher).head() != nil else { continue }
                        let generation = try await Self.reader(watcher).current()
                        _ = try await generation.objects()
                        #expect(generation.number >= last, "the head went back")
                        last = generation.number
                    }
                }
                for race in 0..<Self.races {
                    try await withThrowingTaskGroup(of: Void.self) { pair in
                        for (name, store) in [("x", one), ("y", two)] {
                            pair.addTask {
                                let token = "\(name)\(race)"
                                let isPublished = try await Self.operate(store, token)
                                ledger.tokens.withLock { $0.append(token) }
                                if isPublished { ledger.acknowledged.withLock { $0.append(token) } }
                            }
                        }
                        try await pair.waitForAll()
                    }
                }
                ledger.isDone.withLock { $0 = true }
                try await group.waitForAll()
            }
            let text = String(decoding: try await one.read(Self.layout.cluster())?.bytes ?? [], as: UTF8.self)
            #expect(text.split(separator: "\n").map(String.init).sorted() == ledger.tokens.withLock { $0.sorted() })
            let history = try await Self.reader(one).history()
            #expect(Set(history.map(\.manifest.message)) == Set(ledger.acknowledged.withLock { $0 }))
            #expect(history.count == ledger.acknowledged.withLock { $0.count })
        }
    }
}
