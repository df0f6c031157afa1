// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeTesting
import Testing

@testable import StateStore

/// Trust in signing keys moves on by manifests, one generation after the other.
@Suite struct RotationTests {
    private static let now = Date(timeIntervalSince1970: 1_700_000_000)
    private static let layout = ClusterLayout(clusterName: "a.example.com")

    /// A cluster whose keyring changes.
    private final class Cluster: Sendable {
        let store = MemoryStore()

        func publish(_ signers: [SigningKey], after before: [SigningKey]) async throws {
            let trust = HeadTrust((before + signers).map(\.trusted))
            let reader = GenerationReader(store: store, layout: RotationTests.layout, trust: trust)
            try await GenerationWriter(store: store, layout: RotationTests.layout, signers: signers, author: "a@b")
                .publish(objects: ["o": [1]], previous: reader.head(), message: "m", now: RotationTests.now)
        }
    }

    /// A machine that pinned some keys.
    private struct Machine {
        var pinned: [TrustedKey]
        var followed: FollowedGeneration?

        /// Looks at the store as it is now; the code of the refusal, or `nil` when the machine follows.
        mutating func look(at store: MemoryStore) async throws -> String? {
            let trust = HeadTrust(followed?.trust ?? pinned, now: { RotationTests.now })
            let reader = GenerationReader(store: store, layout: RotationTests.layout, trust: trust)
            do {
                followed = try await reader.current(after: followed).followed
                return nil
            } catch let error as GenerationError {
                return error.code
            }
        }
    }

    private static func key() -> SigningKey { SigningKey(notAfter: .distantFuture) }

    @Test func aKeyIsReplacedByPublishingWithBoth() async throws {
        let (old, new) = (Self.key(), Self.key())
        let cluster = Cluster()
        var steady = Machine(pinned: [old.trusted])
        var asleep = steady
        try await cluster.publish([old], after: [])
        #expect(try await steady.look(at: cluster.store) == nil)
        #expect(try await asleep.look(at: cluster.store) == nil)
        var early = Machine(pinned: [new.trusted])
        #expect(try await early.look(at: cluster.store) == "generation-untrusted")

        try await cluster.publish([old, new], after: [old])
        #expect(try await steady.look(at: cluster.store) == nil)
        var fresh = Machine(pinned: [new.trusted])
        #expect(try await fresh.look(at: cluster.store) == nil)

        try await cluster.publish([new], after: [old, new])
        #expect(try await steady.look(at: cluster.store) == nil)
        #expect(try await fresh.look(at: cluster.store) == nil)
        var latest = Machine(pinned: [new.trusted])
        #expect(try await latest.look(at: cluster.store) == nil)
        let before = asleep.followed
        #expect(try await asleep.look(at: cluster.store) == "generation-untrusted")
        #expect(asleep.followed == before && before?.number == 1)

        // The old key is worth nothing any more, whoever has it.
        try await cluster.publish([old], after: [new])
        #expect(try await steady.look(at: cluster.store) == "generation-untrusted")
        #expect(steady.followed?.number == 3)
    }

    /// Any number of keys replaced in any way: a machine follows just when it trusts one who signed.
    @Test(arguments: Seeded.seeds(200)) func whoeverTrustsASignerFollows(_ seed: UInt64) async throws {
        var random = Seeded(seed)
        let keys = (0..<4).map { _ in Self.key() }
        let cluster = Cluster()
        var machines = keys.map { Machine(pinned: [$0.trusted]) }
        var before: [SigningKey] = []
        for number in 1...6 {
            let count = Int.random(in: 1...keys.count, using: &random)
            let signers = Array(keys.shuffled(using: &random).prefix(count))
            try await cluster.publish(signers, after: before)
            before = signers
            for index in machines.indices where Bool.random(using: &random) {
                let state = machines[index]
                let trusts = (state.followed?.trust ?? state.pinned).map(\.id)
                let code = try await machines[index].look(at: cluster.store)
                if signers.contains(where: { trusts.contains($0.id) }) {
                    #expect(code == nil && machines[index].followed?.number == number, "\(random)")
                    #expect(machines[index].followed?.trust == signers.map(\.trusted), "\(random)")
                } else {
                    #expect(code == "generation-untrusted" && machines[index].followed == state.followed, "\(random)")
                }
            }
        }
    }

    /// A keyring is what was written, for its cluster only.
    @Test func aKeyringIsReadAsItWasWritten() throws {
        var keyring = Keyring(cluster: "a.example.com", notAfter: Self.now)
        keyring.signing.append(Self.key())
        #expect(try Keyring(decoding: keyring.encoded(), for: keyring.cluster) == keyring)
        #expect(Set(keyring.readers.map(\.reader)) == Set(SecretReader.allCases))
        #expect(Set(keyring.readers.map(\.id)).count == SecretReader.allCases.count)
        for bad in [[], Array("{}".utf8), Array(try keyring.encoded().dropLast(2))] as [[UInt8]] {
            let error = #expect(throws: KeyringError.self) { _ = try Keyring(decoding: bad, for: keyring.cluster) }
            #expect(error?.code == "keyring-damaged")
        }
        keyring.signing = []
        let empty = #expect(throws: KeyringError.self) {
            _ = try Keyring(decoding: keyring.encoded(), for: keyring.cluster)
        }
        #expect(empty?.code == "keyring-damaged")
    }
}
