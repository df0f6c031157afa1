// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Testing

@testable import StateStore

/// Whatever prints a key, by whatever way, does not print it.
@Suite struct DisclosureTests {
    private static let keyring = Keyring(cluster: "a.example.com", notAfter: .distantFuture)
    private static let secret = Array("a secret of some length".utf8)

    /// A value that holds secrets, in each way that a program prints values.
    private static func prints(_ value: some Sendable) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        dump([value], to: &dumped)
        dump(["name": Optional(value)], to: &dumped)
        return ["\(value)", "\([value])", "\(String(describing: Optional(value)))", String(reflecting: value), dumped]
    }

    /// Whether a text shows a part of some bytes: as text, in hex, in Base64, or as a list of numbers.
    private static func shows(_ text: String, _ bytes: [UInt8]) -> Bool {
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let part = Array(bytes.prefix(6))
        let numbers = text.split { !$0.isNumber }.compactMap { UInt8($0) }
        let isListed = numbers.indices.contains { numbers[$0...].starts(with: part) }
        return isListed || text.lowercased().contains(hex.prefix(12))
            || text.contains(Data(part).base64EncodedString())
            || text.contains(String(decoding: part, as: UTF8.self))
    }

    private static var secrets: [[UInt8]] {
        keyring.signing.map { [UInt8]($0.privateKey) } + keyring.readers.map { [UInt8]($0.privateKey) } + [secret]
    }

    private func expectSilence(_ value: some Sendable) {
        for text in Self.prints(value) {
            for secret in Self.secrets { #expect(!Self.shows(text, secret), "\(type(of: value))") }
        }
    }

    @Test func noValueShowsWhatItHolds() async throws {
        let keyring = Self.keyring
        expectSilence(keyring)
        for key in keyring.signing { expectSilence(key) }
        for key in keyring.readers { expectSilence(key) }
        let store = MemoryStore()
        let layout = ClusterLayout(clusterName: keyring.cluster)
        expectSilence(try SealedSecret(Self.secret, at: layout.head(), to: keyring.readers.map(\.recipient)))
        let secrets = SecretStore(store: store, layout: layout)
        try await secrets.write(Self.secret, as: "s", for: .node, keyring: keyring, when: .absent)
        let found = try #require(await secrets.read("s", of: .node, with: keyring.key(of: .node)))
        #expect(found.bytes == Self.secret)
        expectSilence(found)
    }

    @Test func noErrorShowsAKey() async throws {
        let keyring = Self.keyring
        let place = try ClusterLayout(clusterName: keyring.cluster).secret("s", for: .node)
        let sealed = try SealedSecret(Self.secret, at: place, to: [keyring.key(of: .node).recipient])
        for (place, reader) in [(place, SecretReader.admin), (try StoreKey("elsewhere"), .node)] {
            let error = #expect(throws: KeyringError.self) {
                _ = try sealed.open(at: place, with: keyring.key(of: reader))
            }
            expectSilence(try #require(error))
        }
        // A keyring that cannot be read, cut off anywhere, is not quoted.
        let bytes = try keyring.encoded()
        for count in stride(from: 0, to: bytes.count - 2, by: 7) {
            let error = #expect(throws: KeyringError.self) {
                _ = try Keyring(decoding: Array(bytes.prefix(count)), for: keyring.cluster)
            }
            expectSilence(try #require(error))
        }
        let foreign = #expect(throws: KeyringError.self) { _ = try Keyring(decoding: bytes, for: "b.example.com") }
        #expect(foreign?.code == "keyring-foreign")
        expectSilence(try #require(foreign))
        var broken = try JSONDecoder().decode(BrokenKey.self, from: Data(encodeForStore(keyring.signing[0])))
        broken.privateKey.append(0)
        let key = try JSONDecoder().decode(SigningKey.self, from: Data(encodeForStore(broken)))
        let unusable = #expect(throws: KeyringError.self) { _ = try key.sign([1]) }
        expectSilence(try #require(unusable))
    }

    /// A signing key whose bytes can be set.
    private struct BrokenKey: Codable {
        var id: String
        var privateKey: Data
        var notAfter: String
        var publicKey: Data
    }

    /// A judge that sees nothing proves nothing.
    @Test func aKeyThatIsShownIsSeen() {
        let key = [UInt8](Self.keyring.signing[0].privateKey)
        let shown = Self.prints(key) + Self.prints(Data(key)) + [Data(key).base64EncodedString()]
        #expect(shown.contains { Self.shows($0, key) } && Self.shows(shown[0], key))
        #expect(Self.shows(shown.last ?? "", key))
        #expect(!Self.shows("signing key 0123456789abcdef", key))
    }
}
