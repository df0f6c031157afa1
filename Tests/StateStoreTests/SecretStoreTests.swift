// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeTesting
import Testing

@testable import StateStore

/// Secrets open for those they are sealed to, where they were put, as they were written; or not at all.
@Suite struct SecretStoreTests {
    private static let keyring = Keyring(cluster: "a.example.com", notAfter: .distantFuture)
    private static let layout = ClusterLayout(clusterName: keyring.cluster)
    private static let refusals: Set<String> = ["secret-unopened", "store-object-damaged"]

    private let store = MemoryStore()
    private var secrets: SecretStore { SecretStore(store: store, layout: Self.layout) }

    private func write(_ bytes: [UInt8], as name: String, for reader: SecretReader) async throws {
        try await secrets.write(bytes, as: name, for: reader, keyring: Self.keyring, when: .always)
    }

    /// What is read, or the code of the refusal.
    private func read(
        _ name: String,
        of reader: SecretReader,
        with key: ReaderKey
    ) async throws -> (bytes: [UInt8]?, code: String?) {
        do {
            return (try await secrets.read(name, of: reader, with: key)?.bytes, nil)
        } catch let error as KeyringError {
            return (nil, error.code)
        } catch let error as StoreError {
            return (nil, error.code)
        }
    }

    @Test(arguments: SecretReader.allCases, [0, 1, 15, 64, 5000]) func whatIsSealedIsReadByItsReaders(
        _ reader: SecretReader,
        _ count: Int
    ) async throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        #expect(try await secrets.read("s", of: reader, with: Self.keyring.key(of: reader)) == nil)
        try await write(bytes, as: "s", for: reader)
        #expect(try await secrets.has("s", for: reader))
        #expect(try await secrets.names(for: reader) == ["s"])
        for key in Self.keyring.readers {
            let found = try await read("s", of: reader, with: key)
            if key.reader == reader || key.reader == .admin {
                #expect(found.bytes == bytes && found.code == nil)
            } else {
                #expect(found.bytes == nil && found.code == "secret-unopened")
            }
        }
        // Of equal secrets no two look alike, so nobody learns by comparing.
        let first = try await store.read(Self.layout.secret("s", for: reader))
        try await write(bytes, as: "s", for: reader)
        #expect(try await store.read(Self.layout.secret("s", for: reader)) != first)
        try await secrets.remove("s", for: reader)
        #expect(try await secrets.names(for: reader) == [])
    }

    @Test func aNamesakesKeysOpenNothing() async throws {
        let other = Keyring(cluster: Self.keyring.cluster, notAfter: .distantFuture)
        try await write([1], as: "s", for: .node)
        for key in other.readers {
            let found = try await read("s", of: .node, with: key)
            #expect(found.bytes == nil && found.code == "secret-unopened")
        }
        // Nor does a key that says it is the right one.
        let mine = try Self.keyring.key(of: .node)
        var forged = try JSONDecoder().decode(ForgedKey.self, from: Data(other.key(of: .node).encoded()))
        forged.id = mine.id
        let impostor = try ReaderKey(decoding: encodeForStore(forged))
        #expect(impostor.id == mine.id)
        #expect(try await read("s", of: .node, with: impostor).code == "secret-unopened")
    }

    @Test func aSecretInAnothersPlaceIsRefused() async throws {
        try await write([1], as: "s", for: .node)
        let sealed = try #require(await store.read(Self.layout.secret("s", for: .node))).bytes
        let elsewhere = ClusterLayout(clusterName: "b.example.com")
        for (layout, name, reader) in [
            (Self.layout, "t", SecretReader.node), (Self.layout, "s", .controlPlane), (Self.layout, "s", .admin),
            (elsewhere, "s", .node),
        ] {
            try await store.write(sealed, to: layout.secret(name, for: reader), when: .always)
            for key in Self.keyring.readers {
                let error = await #expect(throws: KeyringError.self, "\(name) \(reader) \(key)") {
                    _ = try await SecretStore(store: store, layout: layout).read(name, of: reader, with: key)
                }
                #expect(error?.code == "secret-unopened")
            }
        }
        #expect(try await read("s", of: .node, with: Self.keyring.key(of: .node)).bytes == [1])
    }

    @Test(arguments: ["", "{}", "[]", "null", "{\"format\":2,\"boxes\":[]}", "{\"boxes\":[]}", "\u{0}"])
    func whatIsNoSealedSecretIsDamaged(_ text: String) async throws {
        try await store.write(Array(text.utf8), to: Self.layout.secret("s", for: .node), when: .always)
        for key in Self.keyring.readers {
            #expect(try await read("s", of: .node, with: key).code == "store-object-damaged")
        }
    }

    /// Every bit of the object. White space, another reader's box and spare bits of Base64 may change unseen, for nothing that is
    /// read depends on them; what is opened then is the secret itself.
    @Test(arguments: SecretReader.allCases) func anAlteredSecretIsNeverAnother(_ reader: SecretReader) async throws {
        let secret: [UInt8] = [1, 2, 3]
        try await write(secret, as: "s", for: reader)
        let place = try Self.layout.secret("s", for: reader)
        let sealed = try #require(await store.read(place)).bytes
        let key = try Self.keyring.key(of: reader)
        var refused = 0
        for index in sealed.indices {
            for bit in 0..<8 {
                var altered = sealed
                altered[index] ^= 1 << bit
                try await store.write(altered, to: place, when: .always)
                let found = try await read("s", of: reader, with: key)
                if let code = found.code {
                    refused += 1
                    #expect(Self.refusals.contains(code), "byte \(index), bit \(bit)")
                } else {
                    #expect(found.bytes == secret, "byte \(index), bit \(bit)")
                }
            }
        }
        #expect(refused > sealed.count)
    }

    /// Every bit of what the reader's key is used on.
    @Test func everyBitOfABoxCounts() async throws {
        let place = try Self.layout.secret("s", for: .admin)
        try await write([1, 2, 3], as: "s", for: .admin)
        let bytes = try #require(await store.read(place)).bytes
        let key = try Self.keyring.key(of: .admin)
        let original = try JSONDecoder().decode(ForgedSecret.self, from: Data(bytes))
        for path in [\ForgedSecret.Box.encapsulated, \.ciphertext] as [WritableKeyPath<ForgedSecret.Box, Data>] {
            let length = original.boxes[0][keyPath: path].count
            for bit in 0..<length * 8 {
                var forged = original
                forged.boxes[0][keyPath: path][bit / 8] ^= 1 << (bit % 8)
                try await store.write(encodeForStore(forged), to: place, when: .always)
                #expect(try await read("s", of: .admin, with: key).code == "secret-unopened", "bit \(bit)")
            }
            for count in 0..<length {
                var forged = original
                forged.boxes[0][keyPath: path] = original.boxes[0][keyPath: path].prefix(count)
                try await store.write(encodeForStore(forged), to: place, when: .always)
                #expect(try await read("s", of: .admin, with: key).code == "secret-unopened", "\(count) bytes")
            }
        }
    }

    private struct ForgedKey: Codable {
        var reader: SecretReader
        var id: String
        var privateKey: Data
        var publicKey: Data
    }

    private struct ForgedSecret: Codable {
        struct Box: Codable {
            var key: String
            var encapsulated: Data
            var ciphertext: Data
        }

        var format: Int
        var boxes: [Box]
    }
}
