// SPDX-License-Identifier: Apache-2.0
import Glibc
import Subprocess
import Synchronization
import SystemPackage
import Testing

@testable import NodeOS

@Suite struct PackageTests {
    private static let status = """
        Package: dpkg
        Status: install ok installed
        Architecture: amd64
        Version: 1.21

        Package: libc6
        Status: install ok installed
        Architecture: i386
        Version: 2.36-i386
        Description: a
         Package: not-one
         Version: no

        Package: libc6
        Status: install ok installed
        Architecture: amd64
        Version: 2.36

        Package: gone
        Status: deinstall ok config-files
        Architecture: all
        Version: 1

        Package: half
        Status: install ok half-configured
        Architecture: all
        Version: 2

        Package: again
        Status: install reinstreq installed
        Architecture: all
        Version: 3

        Package: odd
        Status: nonsense
        Version
        """

    private func withDatabase(
        _ text: String = status,
        _ body: (FilePath, DpkgDatabase) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let node = LiveNode()
            try await node.makeDirectory(directory.appending("updates"), attributes: FileAttributes())
            try await node.makeDirectory(directory.appending("lists"), attributes: FileAttributes())
            try await node.write(text.bytes, to: directory.appending("status"), attributes: FileAttributes())
            try await node.write(
                [],
                to: directory.appending("lists").appending("m_Packages"),
                attributes: FileAttributes()
            )
            try await body(directory, DpkgDatabase(directory: directory))
        }
    }

    private func manager(_ directory: FilePath, _ database: DpkgDatabase, _ runner: ScriptedRunner) -> PackageManager {
        PackageManager(
            runner: runner,
            database: database,
            clock: NoTime(),
            dpkg: directory,
            lists: directory.appending("lists")
        )
    }

    @Test func recordsAreRead() async throws {
        try await withDatabase { _, database in
            let status = try database.status()
            #expect(status.entry(named: "libc6")?.version == "2.36")
            #expect(status.entry(named: "libc6:i386")?.version == "2.36-i386")
            #expect(status.entry(named: "gone") == nil && status.entry(named: "not-one") == nil)
            #expect(status.entry(named: "odd") == nil)
            #expect(status.incomplete == ["again", "half"])
        }
    }

    @Test func anInterruptedRunsJournalCounts() async throws {
        try await withDatabase("Package: a\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n") {
            directory,
            database in
            #expect(try !database.wasInterrupted())
            let update = "Package: a\nStatus: install ok unpacked\nArchitecture: all\nVersion: 2\n".bytes
            let node = LiveNode()
            try await node.write(
                update,
                to: directory.appending("updates").appending("0001"),
                attributes: FileAttributes()
            )
            try await node.write(
                [],
                to: directory.appending("updates").appending("tmp.i"),
                attributes: FileAttributes()
            )
            #expect(try database.wasInterrupted())
            #expect(try database.status().entry(named: "a")?.version == "2")
            #expect(try database.status().entry(named: "a")?.isComplete == false)
        }
    }

    @Test(arguments: [
        "", "\n\n\n", "Package:", ": :\n\n:", "Package: a\nStatus:\n\nVersion: 1", "\u{0}\u{1}\nPackage: \n",
    ])
    func malformedRecordsAreNoPackages(_ text: String) async throws {
        try await withDatabase(text) { _, database in
            let status = try database.status()
            #expect(status.entry(named: "a") == nil)
            #expect(status.incomplete.isEmpty)
        }
    }

    /// What dpkg itself says of every package of this machine.
    @Test func theHostsRecordsAreReadAsDpkgReadsThem() async throws {
        let format = "${binary:Package}\t${Version}\t${db:Status-Status}\n"
        let text = try await SubprocessRunner().run(
            Command("dpkg-query", ["--show", "--showformat=\(format)"], outputLimit: 1 << 24)
        )
        let status = try DpkgDatabase().status()
        var count = 0
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "\t").map(String.init)
            guard fields.count == 3, fields[2] != "config-files", fields[2] != "not-installed" else { continue }
            count += 1
            let entry = try #require(status.entry(named: fields[0]), "\(fields[0])")
            #expect(entry.version == fields[1] && entry.state == fields[2])
        }
        #expect(count > 50)
        #expect(try await LiveNode().package(named: "dpkg")?.configured == true)
        #expect(try await LiveNode().package(named: "no-such-package") == nil)
    }

    @Test func whatIsThereIsNotInstalledAgain() async throws {
        try await withDatabase("Package: a\nStatus: install ok installed\nVersion: 1\n") { directory, database in
            let runner = ScriptedRunner()
            let wanted = [PackageRequest(name: "a"), PackageRequest(name: "a", version: "1")]
            try await manager(directory, database, runner).install(wanted)
            try await manager(directory, database, runner).remove(["b"])
            #expect(runner.ran.isEmpty)
        }
    }

    @Test func oneTransactionInstallsAll() async throws {
        try await withDatabase("") { directory, database in
            let runner = ScriptedRunner { command, _ in
                guard command.program == "apt-cache" else { return CommandResult() }
                return CommandResult(
                    output: "Package: a\nVersion: 1\n\nPackage: b\nVersion: 2\n\nPackage: b\nVersion: 3\n".bytes
                )
            }
            try await manager(directory, database, runner)
                .install([PackageRequest(name: "a"), PackageRequest(name: "b", version: "2")])
            #expect(runner.ran.map(\.program) == ["apt-cache", "apt-get"])
            #expect(runner.lines.last?.hasSuffix("-- a b=2") == true)
            #expect(runner.lines.last?.contains("--no-install-recommends") == true)
            #expect(runner.lines.last?.contains("--force-confold") == true)
        }
    }

    @Test func listsAreFetchedOnlyForWhatTheyDoNotKnow() async throws {
        try await withDatabase("") { directory, database in
            let runner = ScriptedRunner { command, before in
                guard command.program == "apt-cache" else { return CommandResult() }
                return before == 0 ? CommandResult(code: 100) : CommandResult(output: "Package: a\nVersion: 1\n".bytes)
            }
            try await manager(directory, database, runner).install([PackageRequest(name: "a")])
            #expect(runner.ran.map { $0.arguments[0] } == ["show", "update", "show", "install"])
        }
    }

    @Test func anUnknownPackageIsPermanentOnlyWhenAllListsWereFetched() async throws {
        try await withDatabase("") { directory, database in
            let runner = ScriptedRunner { command, _ in
                CommandResult(code: command.program == "apt-cache" ? 100 : 0)
            }
            let unknown = await failure {
                try await manager(directory, database, runner).install([PackageRequest(name: "a", version: "9")])
            }
            #expect(unknown?.code == "package-not-found" && unknown?.kind == .permanent && unknown?.hint != nil)
            let partial = ScriptedRunner { command, _ in
                CommandResult(
                    code: command.program == "apt-cache" ? 100 : 0,
                    errors: "W: Failed to fetch http://x".bytes
                )
            }
            let unsure = await failure {
                try await manager(directory, database, partial).install([PackageRequest(name: "a")])
            }
            #expect(unsure?.code == "package-lists-incomplete" && unsure?.kind == .transient)
        }
    }

    @Test func listsThatAreOlderThanTheMirrorAreFetchedOnce() async throws {
        try await withDatabase("") { directory, database in
            let runner = ScriptedRunner { command, _ in
                if command.program == "apt-cache" { return CommandResult(output: "Package: a\nVersion: 1\n".bytes) }
                if command.arguments[0] == "update" { return CommandResult() }
                return CommandResult(code: 100, errors: "E: Failed to fetch http://m/a.deb  404  Not Found".bytes)
            }
            let failure = await failure {
                try await manager(directory, database, runner).install([PackageRequest(name: "a")])
            }
            #expect(failure?.code == "package-manager-failed")
            #expect(runner.ran.map { $0.arguments[0] } == ["show", "install", "update", "install"])
        }
    }

    @Test func anInterruptionIsResumedFirst() async throws {
        try await withDatabase("Package: a\nStatus: install ok half-configured\nVersion: 1\n") { directory, database in
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
            try await manager(directory, database, runner).install([PackageRequest(name: "a")])
            #expect(runner.lines == ["dpkg --force-confdef --force-confold --configure -a"])
        }
    }

    @Test(arguments: ["", "-o", "A", "a/b", "a b", "--purge", "a-", "a=1"])
    func wordsThatAreNoNamesNeverReachApt(_ name: String) async throws {
        try await withDatabase("") { directory, database in
            let runner = ScriptedRunner()
            let manager = manager(directory, database, runner)
            #expect(await code { try await manager.install([PackageRequest(name: name)]) } == "package-name-invalid")
            #expect(await code { try await manager.remove([name]) } == "package-name-invalid")
            #expect(runner.ran.isEmpty)
        }
    }

    @Test func whoeverHoldsTheLockIsNamed() async throws {
        try await withDatabase("") { directory, database in
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
                    try await manager(directory, database, runner).install([PackageRequest(name: "a")])
                }
                #expect(busy?.code == "package-manager-busy" && busy?.kind == .waiting)
                #expect(busy?.message.contains("process \(pid) (") == true && busy?.message.contains("perl") == true)
                await execution.teardown(using: [])
            }
            #expect(runner.ran.map(\.program) == ["apt-cache"])
        }
    }
}

/// A clock whose sleeps are over at once.
private struct NoTime: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    var now: Instant { Instant(offset: .zero) }
    var minimumResolution: Duration { .zero }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws { try Task.checkCancellation() }
}
