// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import Subprocess
import SystemPackage

/// A member's process: it ends at the latest with the tests, however those end.
struct EtcdProcess: Sendable {
    let command: [String]
    let environment: [String: String]
    /// Where what it says goes, after what it said before.
    let log: FilePath

    /// Runs it until it ends or the task is cancelled; `begun` gets its number.
    func run(_ begun: @Sendable (pid_t) async -> Void) async throws {
        let variables = environment.map { (Environment.Key(stringLiteral: $0), String?.some($1)) }
        _ = try await Subprocess.run(
            .name("python3"),
            arguments: Arguments(["-c", Self.script, log.string] + command),
            environment: .inherit.updating(Dictionary(uniqueKeysWithValues: variables)),
            input: .inputWriter,
            output: .sequence,
            error: .discarded
        ) { launcher in
            for try await line in launcher.standardOutput.strings() {
                guard let pid = pid_t(line.filter(\.isNumber)) else { continue }
                await begun(pid)
            }
            try await launcher.standardInputWriter.finish()
        }
    }

    /// Ends with its standard input, and the member with it: the kernel sees to that (`PR_SET_PDEATHSIG`).
    private static let script = """
        import ctypes, os, subprocess, sys, threading
        child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=open(sys.argv[1], 'ab'),
            stderr=subprocess.STDOUT, preexec_fn=lambda: ctypes.CDLL(None).prctl(1, 9))
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        print(child.pid, flush=True)
        child.wait()
        os._exit(0)
        """
}
