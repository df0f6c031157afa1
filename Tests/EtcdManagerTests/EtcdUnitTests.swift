// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import NodeTesting
import SystemPackage
import Testing

@Suite struct EtcdUnitTests {
    static func unit(version: String, members: [String] = ["a"]) -> EtcdUnit {
        EtcdUnit(
            etcdCluster: "main",
            version: version,
            member: "a",
            peers: members.map {
                EtcdUnit.Peer(
                    name: $0,
                    url: members.count == 1 ? "https://127.0.0.1:2380" : "https://\($0).internal:2380"
                )
            },
            token: "0123456789abcdef0123456789abcdef",
            volume: "/mnt/kopslite/etcd-main",
            dataDirectory: "/mnt/kopslite/etcd-main/data",
            certificates: EtcdCertificates(in: "/run/kopslite/etcd-main/pki"),
            environmentFile: "/run/kopslite/etcd-main/environment"
        )
    }

    @Test(arguments: ["3.4.23", "3.5.21", "3.6.4"]) func theUnitsTextIsAsReviewed(version: String) throws {
        try Golden.check(Self.unit(version: version).text(), "etcd-main-\(version).service")
    }

    @Test func threeMembersKnowEachOther() throws {
        let arguments = try Self.unit(version: "3.5.21", members: ["a", "b", "c"]).arguments()
        #expect(
            arguments.contains(
                "--initial-cluster=a=https://a.internal:2380,b=https://b.internal:2380,c=https://c.internal:2380"
            )
        )
        #expect(arguments.contains("--listen-peer-urls=https://a.internal:2380"))
    }

    @Test(arguments: ["", "3", "3.4", "3.3.10", "3.7.0", "2.2.1", "v3.4.23", "3.4.x"])
    func otherReleasesAreRefused(version: String) {
        let failure = #expect(throws: Failure.self) { try Self.unit(version: version).text() }
        #expect(failure?.code == "etcd-version-unsupported")
        #expect(failure?.kind == .permanent)
    }

    @Test func aMemberThatIsNoneIsRefused() {
        let failure = #expect(throws: Failure.self) { try Self.unit(version: "3.4.23", members: ["b"]).text() }
        #expect(failure?.code == "etcd-member-unknown")
    }
}
