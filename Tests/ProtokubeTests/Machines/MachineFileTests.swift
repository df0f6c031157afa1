// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import NodeTesting
import SystemPackage
import Testing

@testable import Protokube

/// What a machine's file says against the machine.
@Suite struct MachineFileTests {
    static let path: FilePath = "/etc/kopslite/etcd.json"
    let node = FakeNode()
    let file: EtcdMachineFile
    var document: JSONValue = [
        "cluster": "db.example.com", "member": "a", "store": "file:///srv/etcd",
        "members": [["name": "a", "peerURL": "https://10.0.0.1:2380", "clientURL": "https://10.0.0.1:2379"]],
        "etcd": ["version": "3.5.16", "directory": "/opt/etcd"], "volume": ["directory": "/srv/db"],
        "certificates": [
            "authority": "/p/ca.crt", "serverCertificate": "/p/s.crt", "serverKey": "/p/s.key",
            "peerCertificate": "/p/p.crt", "peerKey": "/p/p.key", "clientCertificate": "/p/c.crt",
            "clientKey": "/p/c.key",
        ],
    ]

    init() { file = EtcdMachineFile(Self.path, node: node) }

    func write(_ document: JSONValue) async throws {
        let text = String(decoding: try document.encoded(), as: UTF8.self)
        await node.change { machine in
            machine.put(text, at: Self.path)
            machine.put("Db-1\n", at: "/proc/sys/kernel/hostname")
            for name in ["etcd", "etcdctl"] { machine.put("program", at: FilePath("/opt/etcd").appending(name)) }
            for name in ["ca.crt", "s.crt", "s.key", "p.crt", "p.key", "c.crt", "c.key"] {
                machine.put("-----BEGIN SOMETHING-----\n", at: FilePath("/p").appending(name))
            }
        }
    }

    func expectRefused(_ words: String) async {
        let failure = await #expect(throws: Failure.self) { try await file.machine() }
        #expect(failure?.code == "etcd-config-invalid" && failure?.kind == .permanent)
        #expect(failure?.hint?.isEmpty == false)
        #expect(failure?.chain.contains(words) == true, "\(failure?.chain ?? "")")
    }

    @Test func theMachineIsItsHostUnlessItIsNamed() async throws {
        try await write(document)
        #expect(try await file.machine().machine == "db-1")
    }

    @Test func aFileThatIsNotThereIsSaidSo() async throws {
        let failure = await #expect(throws: Failure.self) { try await file.machine() }
        #expect(failure?.code == "etcd-config-missing")
    }

    @Test func filesThatCannotBeReadAreNamed() async throws {
        try await write(document)
        await node.change { $0.files["/p/ca.crt"] = nil }
        await expectRefused("certificates.authority: /p/ca.crt cannot be read")
        await node.change { $0.put("secret", at: "/p/ca.crt") }
        await expectRefused("certificates.authority: /p/ca.crt is no PEM; name a file in PEM")
    }

    @Test func aDirectoryWithoutProgramsIsNamed() async throws {
        try await write(document)
        await node.change { $0.files["/opt/etcd/etcdctl"] = nil }
        await expectRefused("etcd.directory: /opt/etcd has no etcdctl; name the directory that etcd is in")
    }

    @Test func aFileThatChangesIsReadAgainAndRefusedWhereItSaysWhoTheMachineIs() async throws {
        var document = document
        try await write(document)
        _ = try await file.machine()
        document["backups"] = ["interval": 60]
        try await write(document)
        #expect(try await file.machine().backups.interval == 60)
        document["volume"] = ["directory": "/srv/other"]
        try await write(document)
        await expectRefused("volume: was /srv/db when this program started; start it anew to change that")
        document["volume"] = ["directory": "/srv/db"]
        try await write(document)
        _ = try await file.machine()
    }
}
