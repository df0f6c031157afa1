// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import Synchronization
import SystemPackage
import Testing

@Suite struct ChildProcessTests {
    static let shell: FilePath = "/bin/sh"

    @Test(arguments: [0, 1, 77]) func itsCodeIsKnownToAllWhoAsk(code: Int32) async throws {
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let child = try await ChildProcess.start(Self.shell, ["-c", "exit \(code)"], environment: [:]) { end.finish() }
        async let first = child.end()
        async let second = child.end()
        #expect(await [first, second] == [code, code])
        for await _ in ends {}
        #expect(!child.isRunning && child.pid == nil)
        child.signal(SIGKILL)
        #expect(await child.end() == code)
    }

    @Test func itIsToldToEndThenEnded() async throws {
        let willing = try await ChildProcess.start("/bin/sleep", ["1000"], environment: [:])
        await willing.end(within: .seconds(600))
        #expect(await willing.end() == 128 + SIGTERM, "also where this program ignores that signal")
        let deaf = try await ChildProcess.start("/bin/sleep", ["1000"], environment: [:])
        deaf.signal(SIGSTOP)
        // Of two signals that are pending the lower number would come first.
        let state = FilePath("/proc/\(try #require(deaf.pid))/stat")
        while String(decoding: try await LiveNode().read(state), as: UTF8.self).firstRange(of: ") T ") == nil {
            await Task.yield()
        }
        await deaf.end(within: .zero)
        #expect(await deaf.end() == 128 + SIGKILL)
    }

    @Test func itHasWhatItIsGivenAndNoMore() async throws {
        let log = FilePath("/tmp/child-process-\(getpid())-\(UInt32.random(in: 0...999_999))")
        let script = "read line; echo got \"$line\"; env | grep -v -e ^_= -e ^PWD= -e ^SHLVL= >&2"
        let child = try await ChildProcess.start(Self.shell, ["-c", script], environment: ["A": "1"], log: log)
        #expect(await child.end() == 0)
        let said = String(decoding: try await LiveNode().read(log), as: UTF8.self).split(separator: "\n").sorted()
        try await LiveNode().remove(log)
        #expect(said.count == 3 && said[0] == "A=1" && said[1].hasPrefix("PATH=/") && said[2] == "got ", "\(said)")
    }

    @Test func aProgramThatIsNotThereEndsAsInAShell() async throws {
        let child = try await ChildProcess.start("/nowhere/program", [], environment: [:])
        #expect(await child.end() != 0)
    }
}
