// SPDX-License-Identifier: Apache-2.0
import Glibc
import Subprocess
import SystemPackage
import Testing

@testable import NodeOS

/// What apt and dpkg are asked to do, and what is made of their answers.
@Suite struct PackageTests {
    private func apt(_ directory: FilePath, _ runner: ScriptedRunner) -> AptSystem {
        AptSystem(
            runner: runner,
            dpkg: directory,
            lists: directory.appending("lists"),
            owed: directory.appending("kopslite").appending("holds")
        )
    }

    @Test func whatIsThereIsNotInstalledAgain() async throws {
        try await withDpkg("Package: a\nStatus: install ok installed\nVersion: 1\n") { directory, _ in
            let runner = ScriptedRunner()
            let wanted = [PackageRequest(name: "a"), PackageRequest(name: "a", version: "1")]
            try await apt(directory, runner).install(wanted)
            try await apt(directory, runner).remove(["b"])
            #expect(runner.ran.isEmpty)
        }
    }

    @Test func oneTransactionInstallsAll() async throws {
        try await withDpkg("") { directory, _ in
            let runner = ScriptedRunner { command, _ in
                guard command.program == "apt-cache" else { return CommandResult() }
                return CommandResult(
                    output: "Package: a\nVersion: 1\n\nPackage: b\nVersion: 2\n\nPackage: b\nVersion: 3\n".bytes
                )
            }
            try await apt(directory, runner)
                .install([PackageRequest(name: "a"), PackageRequest(name: "b", version: "2")])
            #expect(runner.ran.map(\.program) == ["apt-cache", "apt-get"])
            #expect(runner.lines.last?.hasSuffix("-- a b=2") == true)
            #expect(runner.lines.last?.contains("--no-install-recommends") == true)
            #expect(runner.lines.last?.contains("--force-confold") == true)
        }
    }

    @Test func listsAreFetchedOnlyForWhatTheyDoNotKnow() async throws {
        try await withDpkg("") { directory, _ in
            let runner = ScriptedRunner { command, before in
                guard command.program == "apt-cache" else { return CommandResult() }
                return before == 0 ? CommandResult(code: 100) : CommandResult(output: "Package: a\nVersion: 1\n".bytes)
            }
            try await apt(directory, runner).install([PackageRequest(name: "a")])
            #expect(runner.ran.map { $0.arguments[0] } == ["show", "update", "show", "install"])
        }
    }

    @Test func anUnknownPackageIsPermanentOnlyWhenAllListsWereFetched() async throws {
        try await withDpkg("") { directory, _ in
            let runner = ScriptedRunner { command, _ in
                CommandResult(code: command.program == "apt-cache" ? 100 : 0)
            }
            let unknown = await failure {
                try await apt(directory, runner).install([PackageRequest(name: "a", version: "9")])
            }
            #expect(unknown?.code == "package-not-found" && unknown?.kind == .permanent && unknown?.hint != nil)
            let partial = ScriptedRunner { command, _ in
                CommandResult(
                    code: command.program == "apt-cache" ? 100 : 0,
                    errors: "W: Failed to fetch http://x".bytes
                )
            }
            let unsure = await failure {
                try await apt(directory, partial).install([PackageRequest(name: "a")])
            }
            #expect(unsure?.code == "package-lists-incomplete" && unsure?.kind == .transient)
        }
    }

    @Test(arguments: [
        "E: Unable to correct problems, you have held broken packages.\n",
        "E: Packages need to be removed but remove is disabled.\n",
    ])
    func aConflictIsPermanent(_ said: String) async throws {
        try await withDpkg("") { directory, _ in
            let runner = ScriptedRunner { command, _ in
                if command.program == "apt-cache" { return CommandResult(output: "Package: a\nVersion: 1\n".bytes) }
                return CommandResult(code: 100, errors: said.bytes)
            }
            let conflict = await failure { try await apt(directory, runner).install([PackageRequest(name: "a")]) }
            #expect(conflict?.code == "package-conflict" && conflict?.kind == .permanent && conflict?.hint != nil)
            #expect(runner.lines.last?.contains(" --no-remove ") == true)
        }
    }

    @Test func listsThatAreOlderThanTheMirrorAreFetchedOnce() async throws {
        try await withDpkg("") { directory, _ in
            let runner = ScriptedRunner { command, _ in
                if command.program == "apt-cache" { return CommandResult(output: "Package: a\nVersion: 1\n".bytes) }
                if command.arguments[0] == "update" { return CommandResult() }
                return CommandResult(code: 100, errors: "E: Failed to fetch http://m/a.deb  404  Not Found".bytes)
            }
            let failure = await failure {
                try await apt(directory, runner).install([PackageRequest(name: "a")])
            }
            #expect(failure?.code == "package-manager-failed")
            #expect(runner.ran.map { $0.arguments[0] } == ["show", "install", "update", "install"])
        }
    }

    @Test func anInterruptionIsResumedFirst() async throws {
        try await withDpkg("Package: a\nStatus: install ok half-configured\nVersion: 1\n") { directory, _ in
            let file = directory.appending("status")
            let runner = ScriptedRunner { command, _ in
                if command.program == "dpkg" {
                    try FileTree(root: "/").write(
                        "Package: a\nStatus: install ok installed\nVersion: 1\n".bytes,
                        to: file,
                        FileAttributes()
                    )
                }
                return CommandResult()
            }
            try await apt(directory, runner).install([PackageRequest(name: "a")])
            #expect(runner.lines == ["dpkg --force-confdef --force-confold --configure -a"])
        }
    }

    @Test(arguments: ["", "-o", "A", "a_b", "a/b", "a b", "--purge", "a-", "a=1"])
    func wordsThatAreNoNamesNeverReachApt(_ name: String) async throws {
        try await withDpkg("") { directory, _ in
            let runner = ScriptedRunner()
            let apt = apt(directory, runner)
            #expect(await code { try await apt.install([PackageRequest(name: name)]) } == "package-name-invalid")
            #expect(await code { try await apt.remove([name]) } == "package-name-invalid")
            #expect(runner.ran.isEmpty)
        }
    }

    @Test func whoeverHoldsTheLockIsNamedAtOnce() async throws {
        try await withDpkg("Package: b\nStatus: install ok installed\nVersion: 1\n") { directory, _ in
            let lock = directory.appending("lock-frontend")
            try await LiveNode().write([], to: lock, attributes: FileAttributes())
            #expect(try LockFile(path: lock).owner() == nil)
            let runner = ScriptedRunner { _, _ in CommandResult(output: "Package: a\nVersion: 1\n".bytes) }
            // struct flock with the two bytes types first; the rest, zeros, means the whole file.
            let script = """
                use Fcntl; $| = 1; open(F, '+<', $ARGV[0]) or die;
                my $l = pack('s s x64', F_WRLCK, 0); fcntl(F, F_SETLK, $l) or die; print 'held'; sleep 600
                """
            _ = try await Subprocess.run(
                .name("perl"),
                arguments: ["-e", script, lock.string],
                input: .none,
                output: .sequence,
                error: .discarded
            ) { execution in
                for try await _ in execution.standardOutput { break }
                let pid = execution.processIdentifier.value
                #expect(try LockFile(path: lock).owner()?.pid == pid)
                let busy = await failure {
                    try await apt(directory, runner).install([PackageRequest(name: "a")])
                }
                #expect(busy?.code == "package-manager-busy" && busy?.kind == .waiting)
                let removal = await failure { try await apt(directory, runner).remove(["b"]) }
                #expect(removal?.code == "package-manager-busy")
                #expect(busy?.message.contains("process \(pid) (") == true && busy?.message.contains("perl") == true)
                await execution.teardown(using: [])
            }
            #expect(runner.ran.isEmpty)
        }
    }

    @Test func aLockTakenInBetweenIsWaitedForAsWell() async throws {
        try await withDpkg("") { directory, _ in
            let said = "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt-get)\n"
            let runner = ScriptedRunner { command, _ in
                if command.program == "apt-cache" { return CommandResult(output: "Package: a\nVersion: 1\n".bytes) }
                return CommandResult(code: 100, errors: said.bytes)
            }
            let busy = await failure { try await apt(directory, runner).install([PackageRequest(name: "a")]) }
            #expect(busy?.code == "package-manager-busy" && busy?.kind == .waiting)
        }
    }

    @Test func aHoldIsSetAndReleasedWithoutATransaction() async throws {
        try await withDpkg("") { directory, _ in
            let dpkg = FakeDpkg(directory, ["a": ("1", false), "b": ("1", true), "c": ("1", true)])
            let wanted = [("a", true), ("b", false), ("c", true)].map { PackageRequest(name: $0, hold: $1) }
            try await apt(directory, dpkg.runner).install(wanted)
            #expect(dpkg.runner.lines == ["apt-mark hold -q -- a", "apt-mark unhold -q -- b"])
            #expect(try apt(directory, dpkg.runner).status(of: "a")?.held == true)
            #expect(try apt(directory, dpkg.runner).status(of: "b")?.held == false)
        }
    }

    @Test func aPinMovesAHeldPackageAndHoldsItAgain() async throws {
        try await withDpkg("") { directory, _ in
            let dpkg = FakeDpkg(directory, ["a": ("1", true), "b": ("1", true)])
            try await apt(directory, dpkg.runner).install([PackageRequest(name: "a", version: "2")])
            let install = dpkg.runner.lines.first { $0.hasPrefix("apt-get") }
            #expect(install?.contains(" --allow-downgrades --allow-change-held-packages ") == true)
            #expect(dpkg.runner.lines.last == "apt-mark hold -q -- a")
            let status = try apt(directory, dpkg.runner).status(of: "a")
            #expect(status == PackageStatus(version: "2", held: true))
        }
    }

    @Test func nothingHeldIsTouchedForOtherPackages() async throws {
        try await withDpkg("") { directory, _ in
            let dpkg = FakeDpkg(directory, ["b": ("1", true)])
            try await apt(directory, dpkg.runner).install([PackageRequest(name: "a", version: "2")])
            #expect(!dpkg.runner.lines.contains { $0.contains("--allow-change-held-packages") })
        }
    }

    @Test func aHoldLostToAnInterruptionIsSetAgain() async throws {
        try await withDpkg("") { directory, _ in
            let dpkg = FakeDpkg(directory, ["a": ("1", true)])
            dpkg.failMark()
            let first = await failure {
                try await apt(directory, dpkg.runner).install([PackageRequest(name: "a", version: "2")])
            }
            #expect(first?.code == "package-manager-failed")
            // Another process, as after a crash: what is owed is part of the machine's state.
            let system = apt(directory, dpkg.runner)
            #expect(try system.status(of: "a") == PackageStatus(version: "2", configured: false, held: false))
            try await system.install([PackageRequest(name: "a", version: "2")])
            #expect(try system.status(of: "a") == PackageStatus(version: "2", held: true))
            #expect(dpkg.runner.lines.count { $0.hasPrefix("apt-get") } == 1)
        }
    }

    /// apt 2.6 says of a package that dpkg was killed over that it is installed, and leaves it as it is.
    @Test func aTornPackageIsPutInPlaceAgain() async throws {
        let torn = "Status: install reinstreq half-installed\nArchitecture: all\nVersion: 1\n\n"
        try await withDpkg("Package: a\n\(torn)Package: b\n\(torn)Package: c\n\(torn)") { directory, _ in
            let file = directory.appending("status")
            let runner = ScriptedRunner { command, _ in
                if command.arguments.contains("--reinstall") {
                    let whole = ["a", "c"].map { "Package: \($0)\nStatus: install ok installed\nVersion: 1\n\n" }
                    try FileTree(root: "/").write(whole.joined().bytes, to: file, FileAttributes())
                }
                return command.program == "apt-cache"
                    ? CommandResult(output: "Package: b\nVersion: 2\n".bytes) : CommandResult()
            }
            let wanted = [PackageRequest(name: "a", version: "1"), PackageRequest(name: "b", version: "2")]
            try await apt(directory, runner).install(wanted)
            #expect(runner.ran.map(\.program) == ["dpkg", "apt-get", "apt-cache", "apt-get"])
            #expect(
                runner.lines[1].hasPrefix("apt-get install --reinstall -y ") && runner.lines[1].hasSuffix("-- a=1 c=1")
            )
            #expect(runner.lines[3].hasSuffix("-- b=2"))
        }
    }

    @Test func whatDpkgCannotFinishIsMendedByTheTransaction() async throws {
        let broken = "Package: x\nStatus: install ok unpacked\nVersion: 1\n"
        try await withDpkg(broken) { directory, _ in
            let runner = ScriptedRunner { command, _ in
                switch command.program {
                case "apt-cache": CommandResult(output: "Package: a\nVersion: 1\n".bytes)
                case "dpkg": CommandResult(code: 1, errors: "dpkg: dependency problems prevent configuration".bytes)
                default: CommandResult()
                }
            }
            try await apt(directory, runner).install([PackageRequest(name: "a")])
            #expect(runner.ran.map(\.program) == ["dpkg", "apt-cache", "apt-get"])
            #expect(runner.lines.last?.contains(" --fix-broken ") == true)
        }
    }
}
