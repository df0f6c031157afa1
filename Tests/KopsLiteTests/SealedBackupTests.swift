// SPDX-License-Identifier: Apache-2.0
import Foundation
import KopsModel
import StateStore
import Testing

@testable import KopsLite

/// Sealed backups: whose keys open them is told to the machines that take them, in the signed generation.
@Suite("sealed backups") struct SealedBackupTests {
    private func config(_ group: String, _ bench: Bench) async throws -> NodeConfig {
        let generation = try await ClusterRepository(store: bench.store).generations(of: "demo.example.com").current()
        return try await JSONDecoder().decode(
            NodeConfig.self,
            from: Data(generation.object(named: "nodes/\(group).json"))
        )
    }

    @Test("machines are told the operators' key and their own, and only where it is declared")
    func recipients() async throws {
        var bench = try await Bench.withGeneration()
        #expect(try await config("control-plane-local-a", bench).controlPlane?.etcdClusters[0].backupRecipients == nil)
        try await bench.edit("all", "    name: main\n", "    name: main\n    backups:\n      encrypted: true\n")
        let updated = await bench.run("update cluster demo.example.com --yes")
        try #require(updated.code == 0, "\(updated.text)")
        let told = try await config("control-plane-local-a", bench).controlPlane?.etcdClusters[0].backupRecipients
        let place = try ClusterLayout(clusterName: "demo.example.com").keyring()
        let bytes = try #require(await bench.store.read(place)).bytes
        let keyring = try Keyring(decoding: bytes, for: "demo.example.com")
        let keys = try [SecretReader.admin, .controlPlane].map { try keyring.key(of: $0) }
        #expect(told?.map(\.publicKey) == keys.map(\.publicKey))
        #expect(told?.map(\.reader) == ["admin", "control-plane"])
        #expect(try await config("nodes", bench).controlPlane == nil)
    }
}
