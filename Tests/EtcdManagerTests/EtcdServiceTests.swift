// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import SystemPackage
import Testing

@Suite struct EtcdServiceTests {
    static let source: FilePath = "/etc/kubernetes/pki/etcd-main"
    let machine = VolumeMachine()

    static func start(_ state: EtcdUnit.ClusterState) -> EtcdStart {
        EtcdStart(state: state, token: "t-1", member: "a", peers: ["a": "https://a.internal:2380"])
    }

    func service(version: String = "3.4.23") -> EtcdService {
        EtcdService(
            node: machine,
            unit: EtcdUnitTests.unit(version: version),
            program: "/opt/etcd/etcd",
            source: EtcdCertificates(in: Self.source)
        )
    }

    func provision() async {
        for name in ["ca.crt", "peer-ca.crt", "server.crt", "server.key", "peer.crt", "peer.key"] {
            await machine.put("1 \(name)", at: Self.source.appending(name))
        }
        await machine.put("etcd", at: "/opt/etcd/etcd")
    }

    func unitChanges() async -> [String] {
        await machine.effects.filter { $0.hasPrefix("start") || $0.hasPrefix("restart") || $0.hasPrefix("stop") }
    }

    @Test func runsEtcdAsItsOwnUser() async throws {
        await provision()
        try await service().ensureRunning(Self.start(.new))
        #expect(await unitChanges() == ["start etcd-main.service"])
        let uid = try #require(await machine.users["etcd"]?.uid)
        let key = try #require(await machine.files["/run/kopslite/etcd-main/pki/server.key"])
        #expect(key.status.mode == 0o400)
        #expect(key.status.uid == uid)
        #expect(await machine.files["/mnt/kopslite/etcd-main/data"]?.status.mode == 0o700)
    }

    @Test func aSecondPassChangesNothing() async throws {
        await provision()
        try await service().ensureRunning(Self.start(.new))
        await machine.clearEffects()
        try await service().ensureRunning(Self.start(.new))
        #expect(await machine.effects.isEmpty)
    }

    @Test func aBegunClusterIsNotRestartedForBeingBegun() async throws {
        await provision()
        try await service().ensureRunning(Self.start(.new))
        await machine.clearEffects()
        try await service().ensureRunning(Self.start(.existing))
        #expect(await machine.effects == ["write /run/kopslite/etcd-main/environment"])
    }

    @Test func whatSystemdStartsAnewIsTheProgramThatWasAccepted() async throws {
        await provision()
        try await service().ensureRunning(Self.start(.existing))
        await machine.put("etcd of the next release", at: "/opt/etcd/etcd")
        #expect(try await service().process() == .running(isCurrent: false))
        let binary = EtcdUnit.program(of: "main")
        #expect(try service().unit.text().contains("ExecStart=\(binary) "))
        #expect(try await machine.read(binary) == Array("etcd".utf8))
        try await service().ensureRunning(Self.start(.existing))
        #expect(try await machine.read(binary) == Array("etcd of the next release".utf8))
        #expect(await machine.files[binary]?.status.mode == 0o755)
    }

    @Test func aStoppedEtcdIsStarted() async throws {
        await provision()
        try await service().ensureRunning(Self.start(.existing))
        await machine.stopUnit("etcd-main.service")
        await machine.clearEffects()
        try await service().ensureRunning(Self.start(.existing))
        #expect(await unitChanges() == ["start etcd-main.service"])
    }

    @Test func whatRunsOtherwiseThanDeclaredIsSaidSo() async throws {
        await provision()
        #expect(try await service().process() == .stopped)
        try await service().ensureRunning(Self.start(.existing))
        #expect(try await service().process() == .running(isCurrent: true))
        #expect(try await service(version: "3.5.21").process() == .running(isCurrent: false))
        await machine.put("2", at: Self.source.appending("ca.crt"))
        #expect(try await service().process() == .running(isCurrent: false))
        try await service().stop()
        #expect(try await service().process() == .stopped)
    }

    @Test func whatEtcdReadsOnlyOnceRestartsIt() async throws {
        await provision()
        try await service().ensureRunning(Self.start(.existing))
        await machine.clearEffects()
        await machine.put("2 server.crt", at: Self.source.appending("server.crt"))
        try await service().ensureRunning(Self.start(.existing))
        #expect(await unitChanges().isEmpty, "a renewed certificate is read at the next handshake")
        for change in ["ca.crt", "binary", "version"] {
            await machine.clearEffects()
            if change == "ca.crt" { await machine.put("2", at: Self.source.appending("ca.crt")) }
            if change == "binary" { await machine.put("etcd 2", at: "/opt/etcd/etcd") }
            try await service(version: change == "version" ? "3.5.21" : "3.4.23").ensureRunning(Self.start(.existing))
            #expect(await unitChanges() == ["restart etcd-main.service"], "\(change)")
        }
    }

    @Test(arguments: 0..<24) func aCrashBeforeAnyEffectIsMadeUpFor(count: Int) async throws {
        await provision()
        await machine.crash(atEffect: count)
        _ = try? await service().ensureRunning(Self.start(.new))
        await machine.crash(atEffect: nil)
        try await service().ensureRunning(Self.start(.new))
        #expect(await machine.unit(named: "etcd-main.service").active == "active")
        await machine.clearEffects()
        try await service().ensureRunning(Self.start(.new))
        #expect(await machine.effects.isEmpty)
    }

    @Test func aVolumeFromAnotherMachineIsHandedToTheLocalUser() async throws {
        await provision()
        for path: FilePath in ["data/member", "data/member/wal"] {
            try await machine.makeDirectory(
                FilePath("/mnt/kopslite/etcd-main").pushing(path),
                attributes: FileAttributes(uid: 7, gid: 7)
            )
        }
        try await machine.write(
            [1],
            to: "/mnt/kopslite/etcd-main/data/member/wal/0.wal",
            attributes: FileAttributes(mode: 0o600, uid: 7, gid: 7)
        )
        await machine.setNextID(501)
        try await service().ensureRunning(Self.start(.existing))
        #expect(await machine.files["/mnt/kopslite/etcd-main/data/member/wal/0.wal"]?.status.uid == 501)
    }

    @Test func missingFilesAreWaitedForByName() async throws {
        var failure = await #expect(throws: Failure.self) { try await service().ensureRunning(Self.start(.new)) }
        #expect(failure?.code == "etcd-certificates-missing")
        #expect(failure?.kind == .waiting)
        await provision()
        await machine.remove("/opt/etcd/etcd")
        failure = await #expect(throws: Failure.self) { try await service().ensureRunning(Self.start(.new)) }
        #expect(failure?.code == "etcd-binary-missing")
    }

    @Test func aUnitThatFailsIsTriedAgain() async throws {
        await provision()
        await machine.setFailing("etcd-main.service", true)
        let failure = await #expect(throws: Failure.self) { try await service().ensureRunning(Self.start(.new)) }
        #expect(failure?.code == "etcd-not-running")
        #expect(failure?.hint?.contains("journalctl") == true)
        await machine.setFailing("etcd-main.service", false)
        try await service().ensureRunning(Self.start(.new))
        #expect(await machine.unit(named: "etcd-main.service").active == "active")
    }
}
