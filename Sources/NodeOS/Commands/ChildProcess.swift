// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization
public import SystemPackage

/// A program that runs beside this one, and ends with it at the latest, however this one ends.
///
/// A thread starts it and waits for its end: the kernel ends a child with the thread that made it (`PR_SET_PDEATHSIG`, prctl(2)),
/// which setpriv(1) asks for. Until that thread has taken its end its number is nobody else's, so no signal reaches a stranger.
/// Its standard input is empty.
public final class ChildProcess: Sendable {
    private struct State {
        var pid: pid_t?
        var code: Int32?
        var waiting: [CheckedContinuation<Int32, Never>] = []
    }

    private let state = Mutex(State())
    private let ended: @Sendable () -> Void

    private init(ended: @escaping @Sendable () -> Void) { self.ended = ended }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: Its absolute path.
    ///   - arguments: Without its own name.
    ///   - environment: All of it, beside PATH.
    ///   - log: Where what it says goes, after what is there; `nil`: to this program's standard error.
    ///   - ended: Called once it has ended.
    /// - Returns: The program, running.
    /// - Throws: ``Failure`` `child-not-started` (transient).
    public static func start(
        _ program: FilePath,
        _ arguments: [String],
        environment: [String: String],
        log: FilePath? = nil,
        ended: @escaping @Sendable () -> Void = {}
    ) async throws(Failure) -> ChildProcess {
        let child = ChildProcess(ended: ended)
        let words = ["setpriv", "--pdeathsig", "KILL", "--", program.string] + arguments
        let variables = environment.merging(["PATH": SubprocessRunner.path]) { given, _ in given }
            .map { "\($0.key)=\($0.value)" }.sorted()
        let error = await withCheckedContinuation { (started: CheckedContinuation<Int32, Never>) in
            BlockingThread.start {
                let error = child.spawn(words, variables, log)
                started.resume(returning: error)
                if error == 0 { child.awaitEnd() }
            } orElse: { number in
                started.resume(returning: number)
            }
        }
        guard error == 0 else {
            throw Failure(
                .transient,
                code: "child-not-started",
                "\(program) could not be started by setpriv",
                hint: "see that setpriv is there (package util-linux), and that there is memory for another program",
                cause: Errno(rawValue: error)
            )
        }
        return child
    }

    /// Whether it runs.
    public var isRunning: Bool { state.withLock { $0.pid != nil } }

    /// Its number; `nil` once it has ended.
    public var pid: Int32? { state.withLock { $0.pid } }

    /// Sends a signal; nothing happens once it has ended.
    public func signal(_ number: Int32) { state.withLock { if let pid = $0.pid { _ = kill(pid, number) } } }

    /// Waits for its end, and returns its exit code, or 128 plus the signal that ended it.
    public func end() async -> Int32 {
        await withCheckedContinuation { continuation in
            let code = state.withLock { state in
                if state.code == nil { state.waiting.append(continuation) }
                return state.code
            }
            if let code { continuation.resume(returning: code) }
        }
    }

    /// Tells it to end, and ends it when it has not after a time.
    public func end(within limit: Duration, on clock: any Clock<Duration> = ContinuousClock()) async {
        signal(SIGTERM)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = await self.end() }
            group.addTask {
                try? await clock.sleep(for: limit)
                if !Task.isCancelled { self.signal(SIGKILL) }
            }
            await group.next()
            group.cancelAll()
        }
    }

    // MARK: On its thread

    private func spawn(_ words: [String], _ variables: [String], _ log: FilePath?) -> Int32 {
        var files = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&files)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&files)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        if let log {
            posix_spawn_file_actions_addopen(&files, STDERR_FILENO, log.string, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO)
        // Signals that this program ignores or blocks are the child's own business, and a terminal's are not for it.
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var pid: pid_t = 0
        let error = Self.withStrings(words) { words in
            Self.withStrings(variables) { posix_spawnp(&pid, "setpriv", &files, &attributes, words, $0) }
        }
        if error == 0 { state.withLock { $0.pid = pid } }
        return error
    }

    private func awaitEnd() {
        guard let pid = pid else { return }
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        // From here on no signal is sent; until waitpid(2) the number stays the child's.
        state.withLock { $0.pid = nil }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        let waiting = state.withLock { state in
            state.code = code
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: code) }
        ended()
    }

    private static func withStrings<Value>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value {
        var pointers = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("an array with an element has a base") }
            return body(base)
        }
    }
}
