// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import FoundationEssentials
import NodeOS
import PKI
import Subprocess
import SystemPackage
import Testing

/// Certificates and authorities change under three real members and a client that writes all the while.
@Suite(.serialized, .enabled(if: EtcdBinaries.isEnabled, "\(EtcdBinaries.remedy)"))
struct StormRotationTests {
    private let names = ["a", "b", "c"]

    @Test(arguments: [4, 5]) func renewedCertificatesAreUsedWithoutARestart(minor: Int) async throws {
        try await StormScene.run(EtcdBinaries(minor: minor)) { scene in
            try await scene.growToThree()
            let pids = await scene.pids()
            for name in names { try await scene.credentials.renew(name) }
            try scene.credentials.followAsClient()
            for name in names {
                let files = scene.credentials.certificates(of: name)
                for (port, file) in [(2379, files.serverCertificate), (2380, files.peerCertificate)] {
                    let shown = try await shownCertificate(by: name, port, scene)
                    #expect(shown == (try await certificate(in: file)), "member \(name), port \(port)")
                }
            }
            try await scene.writer.untilMore(100)
            try await scene.untilAsDeclared()
            #expect(await scene.pids() == pids)
            try await scene.expectAllKept()
        }
    }

    @Test func anAuthorityIsReplacedWhileMembersAndAgentsAreStruck() async throws {
        try await StormScene.run(EtcdBinaries(minor: 4)) { scene in
            try await scene.growToThree()
            let old = scene.credentials.identity

            try scene.credentials.create()
            try await follow(scene)
            // While somebody's turn is under way, another one dies, and so does whoever decides.
            let restarting = try await untilRestart(scene)
            let killed = try #require(names.first { $0 != restarting })
            await scene.cluster.kill(killed)
            scene.events.crash(try await leader(scene))
            try await scene.untilAsDeclared()
            // Who comes back from a death has read whom to trust, and owes no restart.
            #expect(Set(scene.events.restarts).union([killed]) == ["a", "b", "c"])

            scene.events.crash("b")
            let pids = await scene.pids()
            scene.credentials.promote()
            try await follow(scene)
            await scene.cluster.kill("a")
            try await scene.writer.untilMore(100)
            try await scene.untilAsDeclared()
            #expect(await scene.pids().filter { $0.key != "a" } == pids.filter { $0.key != "a" })

            scene.events.crash("c")
            scene.credentials.distrust()
            try await follow(scene)
            await scene.cluster.kill(try await untilRestart(scene))
            try await scene.untilAsDeclared()

            #expect(scene.events.violations == [])
            try await scene.expectAllKept()
            var stale = scene.credentials.identity
            stale.certificate = old.certificate
            stale.privateKey = old.privateKey
            for name in names {
                let gateway = EtcdGateway(http: scene.cluster.http, identity: stale)
                await #expect(throws: EtcdError.self) { _ = try await gateway.status(of: scene.cluster.endpoint(name)) }
            }
        }
    }

    @Test("whoever trusts a stranger is held, and the others go on", arguments: [true, false])
    func aWrongAuthorityHoldsOneMember(agentToo: Bool) async throws {
        try await StormScene.run(EtcdBinaries(minor: 4)) { scene in
            try await scene.growToThree()
            let pids = await scene.pids()
            let stranger = try KeysetGenerator.certificateAuthority(name: "other", commonName: "other", now: Date())
            scene.credentials.agentsTrustTheirOwnFiles = agentToo
            try await scene.credentials.trust(stranger.bundle, on: "c")
            while scene.events.outlook(at: "c")?.hint == nil {
                try await ContinuousClock().sleep(for: .milliseconds(50))
            }
            let outlook = try #require(scene.events.outlook(at: "c"))
            #expect(outlook.hint?.contains("trusts") == true)
            try await scene.writer.untilMore(100)
            #expect(await scene.pids().filter { $0.key != "c" } == pids.filter { $0.key != "c" })
            #expect(scene.events.restarts.allSatisfy { $0 == "c" })

            try await scene.credentials.follow("c")
            try await scene.untilAsDeclared()
            while scene.events.outlook(at: "c") != EtcdAgent.Outlook() {
                try await ContinuousClock().sleep(for: .milliseconds(50))
            }
            #expect(scene.events.violations == [])
            try await scene.expectAllKept()
        }
    }

    /// Every machine and the client follow the keyset.
    private func follow(_ scene: StormScene) async throws {
        for name in names { try await scene.credentials.follow(name) }
        try scene.credentials.followAsClient()
    }

    /// Returns once it is a member's turn to restart, and whose.
    private func untilRestart(_ scene: StormScene) async throws -> String {
        while true {
            if case .restart(let member)? = try await scene.registers.read(.record)?.value.operation { return member }
            try await ContinuousClock().sleep(for: .milliseconds(20))
        }
    }

    /// The member whose agent decides.
    private func leader(_ scene: StormScene) async throws -> String {
        String(try await scene.registers.read(.lease)?.value.holder.prefix(1) ?? "")
    }

    /// The base64 text of the certificate that a member shows on a new connection.
    private func shownCertificate(by member: String, _ port: Int, _ scene: StormScene) async throws -> String {
        let files = scene.credentials.certificates(of: member)
        let result = try await Subprocess.run(
            .name("openssl"),
            arguments: [
                "s_client", "-connect", "\(scene.cluster.address(member)):\(port)", "-CAfile", files.authority.string,
                "-cert", files.peerCertificate.string, "-key", files.peerKey.string, "-verify_return_error",
            ],
            output: .string(limit: 1 << 20),
            error: .discarded
        )
        return Self.certificate(result.standardOutput)
    }

    private func certificate(in file: FilePath) async throws -> String {
        Self.certificate(String(decoding: try await LiveNode().read(file), as: UTF8.self))
    }

    /// The first certificate of a text, without line breaks.
    private static func certificate(_ text: String) -> String {
        let lines = text.split(separator: "\n").drop { $0 != "-----BEGIN CERTIFICATE-----" }.dropFirst()
        return lines.prefix { $0 != "-----END CERTIFICATE-----" }.joined()
    }
}
