// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Fetch
import KopsModel
import Logging
import NodeOS
import SystemPackage

/// Brings the control plane of this machine up and keeps it so.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Bring this machine's control plane up and keep it so.",
        discussion: "Ends with status 0 on SIGTERM or SIGINT; etcd and the static pods run on."
    )

    @Option(name: .customLong("config"), help: "The machine's boot configuration.")
    var configFile = "/etc/kopslite/boot.json"

    @Flag(help: "End once everything is true (status 0) or something failed (status 1).")
    var once = false

    func run() async throws {
        let log = Logger(label: "protokube", factory: { _ in ConsoleLog() })
        let node = LiveNode()
        let boot: BootConfig
        do {
            boot = try await NodeState.boot(on: node, at: FilePath(configFile))
        } catch let failure as Failure {
            log.error("\(failure.chain) [\(failure.code)]\(failure.hint.map { "; \($0)" } ?? "")")
            throw ExitCode.failure
        }
        let run = Run(node: node, boot: boot, http: CurlClient(), clock: ContinuousClock(), log: log)
        let ending = try await untilSignalled { [once] in try await run.run(once: once) }
        if ending == .failed { throw ExitCode.failure }
    }

    /// The body's result; `nil` when a signal ended it.
    private func untilSignalled(
        _ body: @escaping @Sendable () async throws -> Pipeline.Ending
    ) async throws -> Pipeline.Ending? {
        let signals = Signals.termination()
        return try await withThrowingTaskGroup(of: Pipeline.Ending?.self) { group in
            group.addTask {
                do {
                    return try await body()
                } catch is CancellationError {
                    return nil
                }
            }
            group.addTask {
                for await _ in signals { return nil }
                return nil
            }
            let first = try await group.next() ?? nil
            group.cancelAll()
            // The pipeline writes its last status before it ends.
            try await group.waitForAll()
            return first
        }
    }
}
