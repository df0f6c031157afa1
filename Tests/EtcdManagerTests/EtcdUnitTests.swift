// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import NodeTesting
import SystemPackage
import Testing

@Suite struct EtcdUnitTests {
    static func unit(version: String) -> EtcdUnit {
        EtcdUnit(
            etcdCluster: "main",
            version: version,
            member: "a",
            addresses: EtcdUnit.Addresses(
                peerListen: "https://10.3.0.2:2380",
                peerURL: "https://a.etcd-main.internal.demo.example.com:2380",
                clientListen: ["https://127.0.0.1:2379", "https://10.3.0.2:2379"],
                clientURL: "https://10.3.0.2:2379"
            ),
            binary: EtcdUnit.program(of: "main"),
            volume: "/mnt/kopslite/etcd-main",
            dataDirectory: "/mnt/kopslite/etcd-main/data",
            certificates: EtcdCertificates(in: "/run/kopslite/etcd-main/pki"),
            environmentFile: "/run/kopslite/etcd-main/environment"
        )
    }

    /// A learner of several GiB is ready when it has them, a voter when there is a quorum.
    @Test func nothingEndsAnEtcdForNotBeingReadyYet() throws {
        let lines = try Self.unit(version: "3.5.21").text().split(separator: "\n")
        #expect(lines.contains("Type=exec") && !lines.contains { $0.hasPrefix("TimeoutStartSec=") })
    }

    @Test(arguments: ["3.4.23", "3.5.21", "3.6.4"]) func theUnitsTextIsAsReviewed(version: String) throws {
        try Golden.check(Self.unit(version: version).text(), "etcd-main-\(version).service")
    }

    @Test func withoutCertificatesThereIsNothingOfThem() throws {
        var unit = Self.unit(version: "3.5.21")
        let with = try unit.arguments()
        unit.certificates = nil
        let without = try unit.arguments()
        #expect(
            with.filter { !without.contains($0) }.allSatisfy {
                $0.contains("cert") || $0.contains("-ca-") || $0.contains("key-file")
            }
        )
        #expect(without == with.filter(without.contains) && with.count - without.count == 8)
    }

    @Test func whatIsBegunOrJoinedIsNoPartOfTheUnit() throws {
        let peers = ["b": "https://b.internal:2380", "a": "https://a.internal:2380"]
        let start = EtcdStart(state: .existing, token: "0123-1", member: "a", peers: peers)
        #expect(
            Self.unit(version: "3.5.21").environment(start) == """
                ETCD_INITIAL_CLUSTER=a=https://a.internal:2380,b=https://b.internal:2380
                ETCD_INITIAL_CLUSTER_STATE=existing
                ETCD_INITIAL_CLUSTER_TOKEN=0123-1

                """
        )
    }

    @Test(arguments: ["", "3", "3.4", "3.3.10", "3.7.0", "2.2.1", "v3.4.23", "3.4.x"])
    func otherReleasesAreRefused(version: String) {
        let failure = #expect(throws: Failure.self) { try Self.unit(version: version).text() }
        #expect(failure?.code == "etcd-version-unsupported")
        #expect(failure?.kind == .permanent)
    }
}
