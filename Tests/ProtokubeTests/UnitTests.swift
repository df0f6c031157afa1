// SPDX-License-Identifier: Apache-2.0
import NodeOS
import SystemPackage
import Testing

/// protokube's two services, `systemd/protokube.service` and `systemd/protokube-etcd.service`.
@Suite struct UnitTests {
    private func lines(_ name: String) async throws -> [String] {
        let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        let bytes = try await LiveNode().read(root.appending("systemd").appending(name))
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func bothWorkOnVolumesAndAreAllowedTheSame() async throws {
        let node = try await lines("protokube.service").drop { $0 != "[Service]" }
        let etcd = try await lines("protokube-etcd.service").drop { $0 != "[Service]" }
        #expect(etcd.filter { !node.contains($0) } == ["ExecStart=/usr/local/bin/protokube etcd run"])
        #expect(node.filter { !etcd.contains($0) } == ["ExecStart=/usr/local/bin/protokube run"])
    }

    /// A volume that the service mounted in a namespace of its own would be mounted for it alone.
    @Test(arguments: ["protokube.service", "protokube-etcd.service"])
    func neitherHasMountsOfItsOwn(name: String) async throws {
        let settings = try await lines(name).filter { !$0.hasPrefix("#") }
        let own = [
            "ProtectSystem", "ProtectHome", "ProtectKernel", "ProtectControlGroups", "ProtectProc", "ProcSubset",
            "Private", "ReadOnlyPaths", "ReadWritePaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths",
            "TemporaryFileSystem", "Bind", "DynamicUser", "MountFlags", "RootDirectory", "RootImage", "LogNamespace",
        ]
        #expect(settings.filter { line in own.contains { line.hasPrefix($0) } } == [])
        let filter = settings.first { $0.hasPrefix("SystemCallFilter=") }
        #expect(filter?.contains("@mount") == false)
    }
}
