// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeOS
import SystemPackage
import Testing

@Suite struct EtcdServiceTests {
    static let source: FilePath = "/etc/kubernetes/pki/etcd-main"
    let machine = VolumeMachine()
    let programs: EtcdPrograms
    let asked = Asked()

    init() { programs = EtcdPrograms(runner: SpokenRelease(machine: machine, asked: asked)) }

    /// How often a program was asked for its release.
    actor Asked {
        private(set) var count = 0
        func note() { count += 1 }
    }

    /// Programs whose text is the release they say they are, and whatever comes after a `+`.
    struct SpokenRelease: CommandRunner {
        let machine: VolumeMachine
        let asked: Asked

        func result(of command: Command) async throws -> CommandResult {
            await asked.note()
            let text = String(decoding: try await machine.read(FilePath(command.program)), as: UTF8.self)
            guard text.hasPrefix("3") else { return CommandResult(code: 126, errors: Array("exec format error".utf8)) }
            return CommandResult(output: Array("etcd Version: \(text.prefix { $0 != "+" })\nGit SHA: 0\n".utf8))
        }
    }

    static func start(_ state: EtcdUnit.ClusterState) -> EtcdStart {
        EtcdStart(state: state, token: "t-1", member: "a", peers: ["a": "https://a.internal:2380"])
    }

    func service(version: String = "3.4.23") -> EtcdService {
        EtcdService(
            node: machine,
            unit: EtcdUnitTests.unit(version: version),
            program: "/opt/etcd/etcd",
            source: EtcdCertificates(in: Self.source),
            programs: programs
        )
    }

    func install(_ program: String) async { await machine.put(program, at: "/opt/etcd/etcd") }

    func provision() async {
        for name in ["ca.crt", "peer-ca.crt", "server.crt", "server.key", "peer.crt", "peer.key"] {
            await machine.put("1 \(name)", at: Self.source.appending(name))
        }
        await install("3.4.23")
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
        await install("3.4.23+rebuilt")
        #expect(try await service().process() == .running(isCurrent: false))
        let binary = EtcdUnit.program(of: "main")
        #expect(try service().unit.text().contains("ExecStart=\(binary) "))
        #expect(try await machine.read(binary) == Array("3.4.23".utf8))
        try await service().ensureRunning(Self.start(.existing))
        #expect(try await machine.read(binary) == Array("3.4.23+rebuilt".utf8))
        #expect(await machine.files[binary]?.status.mode == 0o755)
    }

    @Test func anUpgradeOfPackagesDoesNotReachTheData() async throws {
        await provision()
        try await service().ensureRunning(Self.start(.existing))
        await install("3.5.21")
        #expect(try await service().process() == .running(isCurrent: true), "it takes no turn that it could not use")
        var failure = await #expect(throws: Failure.self) { try await service().checkInstalled() }
        #expect(failure?.code == "etcd-version-differs" && failure?.kind == .waiting)
        #expect(failure?.message == "/opt/etcd/etcd is etcd 3.5.21, and etcd main is declared as 3.4.23")
        #expect(
            failure?.hint?.contains("install etcd 3.4.23") == true && failure?.hint?.contains("declare 3.5.21") == true
        )
        // A boot, or another authority: it starts from its copy.
        await machine.reboot()
        await machine.clearEffects()
        try await service().ensureRunning(Self.start(.existing))
        #expect(await unitChanges() == ["start etcd-main.service"])
        await machine.put("2", at: Self.source.appending("ca.crt"))
        #expect(try await service().process() == .running(isCurrent: false))
        try await service().ensureRunning(Self.start(.existing))
        #expect(try await machine.read(EtcdUnit.program(of: "main")) == Array("3.4.23".utf8))
        // Without a copy nothing is started, and nothing copied.
        try await service().stop()
        await machine.remove(EtcdUnit.program(of: "main"))
        await machine.clearEffects()
        failure = await #expect(throws: Failure.self) { try await service().ensureRunning(Self.start(.existing)) }
        #expect(failure?.code == "etcd-version-differs")
        #expect(await machine.effects.isEmpty)
    }

    @Test(arguments: [true, false])
    func anUpgradeGoesByItselfInWhicheverOrderItComes(isInstalledFirst: Bool) async throws {
        await provision()
        try await service().ensureRunning(Self.start(.existing))
        if isInstalledFirst { await install("3.5.21") }
        let between = service(version: isInstalledFirst ? "3.4.23" : "3.5.21")
        #expect(try await between.process() == .running(isCurrent: true))
        await #expect(throws: Failure.self) { try await between.checkInstalled() }
        await install("3.5.21")
        let after = service(version: "3.5.21")
        #expect(try await after.process() == .running(isCurrent: false))
        try await after.checkInstalled()
        try await after.ensureRunning(Self.start(.existing))
        #expect(try await after.process() == .running(isCurrent: true))
        #expect(try await machine.read(EtcdUnit.program(of: "main")) == Array("3.5.21".utf8))
    }

    @Test func aProgramIsAskedOnceForEachContent() async throws {
        await provision()
        for _ in 0..<3 { try await service().ensureRunning(Self.start(.existing)) }
        #expect(await asked.count == 1)
        await install("3.5.21")
        for _ in 0..<3 { _ = try await service().process() }
        #expect(await asked.count == 2)
    }

    @Test func whatSaysNoReleaseIsNotStarted() async throws {
        await provision()
        await install("garbage")
        let failure = await #expect(throws: Failure.self) { try await service().ensureRunning(Self.start(.new)) }
        #expect(failure?.code == "etcd-version-unknown" && failure?.kind == .transient)
        #expect(failure?.hint?.contains("/opt/etcd/etcd --version") == true)
        #expect(failure?.chain.contains("exec format error") == true)
        #expect(await unitChanges().isEmpty)
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
            if change == "binary" { await install("3.4.23+2") }
            if change == "version" { await install("3.5.21") }
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
        #expect(failure?.code == "etcd-binary-missing")
        #expect(failure?.kind == .waiting)
        await install("3.4.23")
        failure = await #expect(throws: Failure.self) { try await service().ensureRunning(Self.start(.new)) }
        #expect(failure?.code == "etcd-certificates-missing")
        #expect(failure?.kind == .waiting)
    }

    @Test func aDeclarationThatChangesInBetweenIsLeftToTheNextLook() async throws {
        await provision()
        var start = Self.start(.existing)
        start.release = "3.5.21"
        let failure = await #expect(throws: Failure.self) { try await service().ensureRunning(start) }
        #expect(failure?.code == "etcd-declaration-changed" && failure?.hint?.contains("next look") == true)
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
