// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import NodeOS

/// What dnf and rpm are asked to do, and what is made of their answers, which are those of dnf 4.14 and rpm 4.18.
@Suite struct RpmTests {
    private func withDnf(
        _ records: String,
        plugin: Bool = false,
        answering result: CommandResult = CommandResult(),
        _ body: (DnfSystem, ScriptedRunner, FilePath) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode()
            let database = directory.appending("rpm")
            try await node.makeDirectory(database, attributes: FileAttributes())
            for name in ["rpmdb.sqlite", "rpmdb.sqlite-wal", "rpmdb.sqlite-shm", ".rpm.lock"] {
                try await node.write([], to: database.appending(name), attributes: FileAttributes())
            }
            let settings = directory.appending("versionlock.conf")
            if plugin {
                let text = "[main]\nenabled = 1\nlocklist = \(directory)/locks\n"
                try await node.write(text.bytes, to: settings, attributes: FileAttributes())
            }
            let runner = ScriptedRunner { command, _ in
                if command.program == "rpm", command.arguments.first == "-qa" {
                    return CommandResult(output: records.bytes)
                }
                return result
            }
            let system = DnfSystem(
                runner: runner,
                database: database,
                locks: settings,
                processFiles: [directory.appending("dnf.pid")]
            )
            try await body(system, runner, directory)
        }
    }

    private static let records = """
        epsi\t3:1.0-1\tnoarch\t1795549868
        alpha\t1.0-1\tnoarch\t1795549869
        zero\t0:1.0-1\tnoarch\t1795549869
        slow\t1.0-1\tnoarch\t1795550000
        slow\t2.0-1\tnoarch\t1795550009
        kernel\t6.1-1\tx86_64\t1795550000
        kernel\t6.2-1\tx86_64\t1795550009
        two\t1.0-1\tx86_64\t1795550000
        two\t1.0-1\ti686\t1795550000
        gpg-pubkey\t1\t(none)
        nonsense
        """

    @Test func recordsAreReadWithOneCommand() async throws {
        try await withDnf(Self.records) { dnf, runner, directory in
            #expect(try await dnf.status(of: "epsi") == PackageStatus(version: "3:1.0-1"))
            #expect(try await dnf.status(of: "alpha") == PackageStatus(version: "1.0-1"))
            #expect(try await dnf.status(of: "zero")?.version == "1.0-1")
            #expect(try await dnf.status(of: "kernel") == PackageStatus(version: "6.2-1"))
            #expect(try await dnf.status(of: "two")?.configured == true)
            #expect(try await dnf.status(of: "slow") == PackageStatus(version: "2.0-1", configured: false))
            #expect(try await dnf.status(of: "none") == nil)
            #expect(try await dnf.status(of: "nonsense") == nil)
            #expect(runner.ran.map(\.program) == ["rpm"])
            let file = directory.appending("rpm").appending("rpmdb.sqlite-shm")
            try await LiveNode().write("looked at".bytes, to: file, attributes: FileAttributes())
            _ = try await dnf.status(of: "alpha")
            #expect(runner.ran.count == 1)
            let log = directory.appending("rpm").appending("rpmdb.sqlite-wal")
            try await LiveNode().write("changed".bytes, to: log, attributes: FileAttributes())
            _ = try await dnf.status(of: "alpha")
            #expect(runner.ran.count == 2)
        }
    }

    @Test func aMissingDatabaseIsNotMade() async throws {
        try await withTemporaryDirectory { directory in
            let runner = ScriptedRunner { _, _ in CommandResult(output: "\(directory)/none\n".bytes) }
            let found = try await DnfSystem(runner: runner).status(of: "a")
            #expect(found == nil)
            #expect(runner.lines == ["rpm --eval %{_dbpath}"])
        }
    }

    @Test func oneTransactionInstallsAndPinsAll() async throws {
        try await withDnf(Self.records) { dnf, runner, _ in
            try await dnf.install([
                PackageRequest(name: "alpha"), PackageRequest(name: "beta"),
                PackageRequest(name: "epsi", version: "3:0.9-1"), PackageRequest(name: "zero", version: "1.0-1"),
            ])
            #expect(runner.ran.map(\.program) == ["rpm", "dnf"])
            #expect(runner.lines.last?.hasSuffix(" install -- beta epsi-3:0.9-1") == true)
            #expect(runner.lines.last?.contains("--setopt=install_weak_deps=False") == true)
            #expect(runner.lines.last?.contains("--refresh") == false)
        }
    }

    @Test func whatIsThereRunsNoDnf() async throws {
        try await withDnf(Self.records) { dnf, runner, _ in
            try await dnf.install([PackageRequest(name: "alpha", version: "1.0-1", hold: false)])
            try await dnf.remove(["beta"])
            #expect(runner.lines.count == 1)
        }
    }

    @Test(arguments: [
        ("Error: Unable to find a match: nosuch\n", "package-not-found", Failure.Class.permanent),
        (
            "Error: \n Problem: conflicting requests\n  - nothing provides nosuch needed by delta-1.0-1.noarch\n",
            "package-conflict", .permanent
        ),
        (
            "Error: Failed to download metadata for repo 'test': Cannot download repomd.xml: Cannot download "
                + "repodata/repomd.xml: All mirrors were tried\n",
            "package-lists-unreachable", .transient
        ),
        ("Error: Some packages from local repository have incorrect checksum\n", "package-manager-failed", .transient),
    ])
    func failuresAreToldApart(_ said: String, _ code: String, _ kind: Failure.Class) async throws {
        try await withDnf("", answering: CommandResult(code: 1, errors: said.bytes)) { dnf, runner, _ in
            let failure = await failure { try await dnf.install([PackageRequest(name: "nosuch")]) }
            #expect(failure?.code == code && failure?.kind == kind && failure?.hint != nil)
            // What the metadata at hand does not allow, newer may: all repositories are asked once.
            let installs = runner.lines.filter { $0.hasPrefix("dnf") }
            #expect(installs.map { $0.contains("--refresh --setopt=*.skip_if_unavailable=0") } == [false, true])
        }
    }

    @Test func whoeverHoldsALockIsNamed() async throws {
        try await withDnf("") { dnf, runner, directory in
            try await LiveNode().write("1\n".bytes, to: directory.appending("dnf.pid"), attributes: FileAttributes())
            let busy = await failure { try await dnf.install([PackageRequest(name: "a")]) }
            #expect(busy?.code == "package-manager-busy" && busy?.kind == .waiting)
            #expect(busy?.message.hasPrefix("process 1 (") == true)
            #expect(!runner.lines.contains { $0.hasPrefix("dnf") })
            let gone = "\(Int32.max)"
            try await LiveNode().write(gone.bytes, to: directory.appending("dnf.pid"), attributes: FileAttributes())
            try await dnf.install([PackageRequest(name: "a")])
        }
    }

    @Test(arguments: [
        CommandResult(code: 200, errors: "RPMDB already locked by 21172\n".bytes),
        CommandResult(
            code: 1,
            errors: ("RPM: error: can't create transaction lock on /var/lib/rpm/.rpm.lock "
                + "(Resource temporarily unavailable)\n").bytes
        ),
    ])
    func aLockTakenInBetweenIsWaitedFor(_ result: CommandResult) async throws {
        try await withDnf("", answering: result) { dnf, runner, _ in
            let busy = await failure { try await dnf.install([PackageRequest(name: "a")]) }
            #expect(busy?.code == "package-manager-busy" && busy?.kind == .waiting)
            #expect(runner.lines.count { $0.hasPrefix("dnf") } == 1)
        }
    }

    @Test func anInterruptedUpgradesOldVersionIsRemoved() async throws {
        try await withDnf(Self.records) { dnf, runner, _ in
            try await dnf.install([PackageRequest(name: "slow", version: "2.0-1")])
            #expect(runner.lines.dropFirst() == ["rpm --erase -- slow-1.0-1.noarch"])
        }
    }

    @Test func aHoldNeedsThePlugin() async throws {
        try await withDnf(Self.records) { dnf, runner, _ in
            let failure = await failure { try await dnf.install([PackageRequest(name: "alpha", hold: true)]) }
            #expect(failure?.code == "package-hold-unsupported" && failure?.hint != nil)
            #expect(runner.ran.isEmpty)
        }
    }

    @Test func holdsAreLinesOfVersionlock() async throws {
        try await withDnf(Self.records, plugin: true) { dnf, runner, directory in
            let locks = "# Added lock\nepsi-3:1.0-1.*\n!alpha-0:0.9-1.*\n\nbad\n"
            try await LiveNode().write(locks.bytes, to: directory.appending("locks"), attributes: FileAttributes())
            #expect(try await dnf.status(of: "epsi")?.held == true)
            #expect(try await dnf.status(of: "alpha")?.held == false)
            let wanted = [("epsi", true), ("alpha", true), ("zero", false)]
            try await dnf.install(wanted.map { PackageRequest(name: $0, hold: $1) })
            try await dnf.install([PackageRequest(name: "epsi", hold: false)])
            let words = runner.ran.filter { $0.program == "dnf" }.map { $0.arguments.suffix(3).joined(separator: " ") }
            #expect(words == ["add --raw alpha-0:1.0-1.*", "versionlock delete epsi"])
        }
    }

    @Test func aLockedPackageMovesToItsPinAndIsNeverWithoutALock() async throws {
        try await withDnf("alpha\t1.0-1\tnoarch\t5\n", plugin: true) { dnf, runner, directory in
            let locks = directory.appending("locks")
            try await LiveNode().write("alpha-0:1.0-1.*\n".bytes, to: locks, attributes: FileAttributes())
            _ = await failure { try await dnf.install([PackageRequest(name: "alpha", version: "2.0-1")]) }
            let words = runner.ran.filter { $0.program == "dnf" }.map { $0.arguments.suffix(3).joined(separator: " ") }
            #expect(words.prefix(2) == ["add --raw alpha-0:2.0-1.*", "install -- alpha-2.0-1"])
        }
    }

    @Test func aVersionWithoutAReleaseIsRefused() async throws {
        try await withDnf("") { dnf, runner, _ in
            let failure = await failure { try await dnf.install([PackageRequest(name: "a", version: "1.0")]) }
            #expect(failure?.code == "package-version-invalid" && failure?.hint?.contains("release") == true)
            for name in ["", "-y", "@group", "a*", "a/b", "a b"] {
                #expect(await code { try await dnf.remove([name]) } == "package-name-invalid")
            }
            #expect(runner.ran.isEmpty)
        }
    }
}
