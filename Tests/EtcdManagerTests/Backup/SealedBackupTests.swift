// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import NodeOS
import StateStore
import SystemPackage
import Testing

@testable import EtcdManager

/// A sealed backup of a real etcd, in the hands of whoever has the store and some key.
@Suite(
    .serialized,
    .enabled(if: SourceEtcd.isThere, "no etcd with etcdutl is installed for tests: packaging/test-etcd"),
    .timeLimit(.minutes(5))
)
struct SealedBackupTests {
    private static let keyring = Keyring(cluster: "a.example.com", notAfter: .distantFuture)

    private static func recipients() throws -> [RecipientKey] {
        try [SecretReader.admin, .controlPlane].map { try keyring.key(of: $0).recipient }
    }

    /// Nothing of etcd's data can be read in the store, nor the key that would open it.
    @Test func theStoreHoldsNothingThatCanBeRead() async throws {
        try await RealBackup.run("3.4.23") { it in
            let plain = ["/k/7", "second", "/registry/masterleases/10.0.0.1"].map { Array($0.utf8) }
            func found() async throws -> [Bool] {
                var all: [[UInt8]] = []
                let place = try BackupScene.layout.backups(of: "main")
                for key in await it.scene.memory.list(place) {
                    all.append(try #require(await it.scene.memory.read(key)).bytes)
                }
                return plain.map { text in all.contains { $0.contains(text) } }
            }
            let open = try await it.take()
            #expect(try await found() == [true, true, true], "or it would not be found")
            try await it.backups.delete(open.name)
            _ = try await it.take(sealedTo: try Self.recipients())
            #expect(try await found() == [false, false, false])
            let secrets = Self.keyring.readers.map(\.privateKey)
            let root = try BackupScene.layout.root()
            for key in await it.scene.memory.list(root) {
                let bytes = try #require(await it.scene.memory.read(key)).bytes
                for secret in secrets {
                    #expect(!bytes.contains([UInt8](secret)))
                    #expect(!bytes.contains(Array(secret.base64EncodedString().utf8)))
                }
            }
        }
    }

    /// Operators and the control plane bring it back; workers, strangers and whoever has no key do not.
    @Test func onlyItsRecipientsBringItBack() async throws {
        try await RealBackup.run("3.4.23") { it in
            let record = try await it.take(sealedTo: try Self.recipients())
            let target = it.scene.directory.appending("restored")
            for key in [nil, try Self.keyring.key(of: .node), ReaderKey(reader: .controlPlane)] {
                let backup = try #require(await it.backups.find(record.name))
                await #expect(throws: KeyringError.self) { try await it.prover(key: key).prove(backup) }
                await #expect(throws: KeyringError.self) { try await it.restore(record.name, into: target, key: key) }
                #expect(try await LiveNode().status(of: target) == nil)
                // Who cannot open it has no say in whether it is good.
                #expect(try await it.backups.find(record.name)?.standing == .unproven)
            }
            for reader in [SecretReader.admin, .controlPlane] {
                let key = try Self.keyring.key(of: reader)
                let backup = try #require(await it.backups.find(record.name))
                #expect(try await it.prover(key: key).prove(backup).isGood)
                try await it.restore(record.name, into: target, key: key)
                try await LiveNode().remove(target)
            }
        }
    }
}
