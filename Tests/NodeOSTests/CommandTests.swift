// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
import SystemPackage
import Testing

@testable import NodeOS

@Suite struct CommandTests {
    private let runner = SubprocessRunner()

    private func shell(_ script: String) -> Command { Command("sh", ["-c", script]) }

    @Test func outputErrorsAndCodeAreKept() async throws {
        let result = try await runner.result(of: shell("echo out; echo err >&2; exit 3"))
        #expect(result == CommandResult(code: 3, output: "out\n".bytes, errors: "err\n".bytes))
        let killed = try await runner.result(of: shell("kill -9 $$"))
        #expect(killed.code == 137)
    }

    @Test func aFailureShowsTheLastLines() async throws {
        let failure = await failure {
            try await runner.run(shell("for i in 1 2 3 4 5; do echo line $i >&2; echo >&2; done; exit 7"))
        }
        #expect(failure?.message.hasSuffix("exited with 7: line 3 | line 4 | line 5") == true)
    }

    @Test func errorsAreBoundedByTheirEnd() async throws {
        let result = try await runner.result(of: shell("seq 1 200000 >&2"))
        #expect(result.errors.count == 8192)
        #expect(result.lastErrors == "199998 | 199999 | 200000")
    }

    @Test func outputBeyondTheLimitIsAFailure() async throws {
        var command = shell("yes")
        command.outputLimit = 10_000
        let endless = command
        #expect(await code { _ = try await runner.result(of: endless) } == "command-output-limit")
    }

    @Test func theEnvironmentIsFixed() async throws {
        var command = shell("echo $LC_ALL $DEBIAN_FRONTEND $EXTRA $PATH")
        command.environment = ["EXTRA": "more"]
        let output = try await runner.run(command)
        #expect(output.hasPrefix("C noninteractive more /usr/local/sbin:"))
    }

    @Test(.timeLimit(.minutes(5))) func aTimeoutEndsTheWholeSession() async throws {
        try await withTemporaryDirectory { directory in
            let pipe = directory.appending("pipe")
            mkfifo(pipe.string, 0o600)
            let alarm = Alarm(pipe: pipe)
            let late = shell("sleep 600 & echo $! > \(pipe); wait")
            #expect(await code { _ = try await SubprocessRunner(clock: alarm).result(of: late) } == "command-timeout")
            let child = try #require(alarm.heard.withLock { Int32($0) })
            while try await isAlive(child) { await Task.yield() }
        }
    }

    /// A service that a package starts may inherit the pipe and live on.
    @Test func aDaemonThatKeepsThePipeIsNotWaitedFor() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appending("pid")
            let output = try await runner.run(shell("setsid sleep 300 & echo $! > \(file); echo done"))
            #expect(output == "done\n")
            let child = try #require(Int32(try await LiveNode().text(file).filter(\.isNumber)))
            #expect(try await isAlive(child))
            kill(child, SIGKILL)
        }
    }

    /// Whether a process runs; one that has ended and waits to be collected does not.
    private func isAlive(_ pid: Int32) async throws -> Bool {
        let node = LiveNode()
        guard try await node.status(of: FilePath("/proc/\(pid)")) != nil else { return false }
        do { return try await !node.text(FilePath("/proc/\(pid)/stat")).contains(") Z ") } catch { return false }
    }

    @Test func aMissingProgramIsNamed() async throws {
        let failure = await failure { try await runner.run(Command("no-such-program")) }
        #expect(failure?.code == "command-not-found" && failure?.kind == .permanent)
        #expect(failure?.hint?.contains("no-such-program") == true)
    }

    @Test func theTurnstileLetsOneThroughAtATime() async throws {
        let turnstile = Turnstile()
        let inside = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 {
                group.addTask {
                    try? await turnstile.pass {
                        #expect(await inside.enter() == 1)
                        await Task.yield()
                        await inside.leave()
                        if number % 7 == 0 { throw Failure(.permanent, code: "x", "x") }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await inside.total == 50)
    }
}

private actor Counter {
    private var count = 0
    private(set) var total = 0

    func enter() -> Int {
        count += 1
        total += 1
        return count
    }

    func leave() { count -= 1 }
}

/// A clock whose sleeps end when somebody writes to a pipe.
private struct Alarm: Clock {
    let pipe: FilePath
    let heard = Heard()

    final class Heard: Sendable {
        private let text = Mutex("")
        func withLock<Result: Sendable>(_ body: (inout sending String) -> sending Result) -> Result {
            text.withLock(body)
        }
    }

    var now: ContinuousClock.Instant { .now }
    var minimumResolution: Duration { .zero }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        let words = try await BlockingThread.run { _ throws(Failure) in
            let descriptor = Descriptor(open(pipe.string, O_RDONLY | O_CLOEXEC))
            return String(decoding: try readPiece(descriptor.raw, upTo: 64, pipe), as: UTF8.self)
        }
        heard.withLock { $0 = words.filter(\.isNumber) }
    }
}
