// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Fetch
import KopsModel
import Logging
import NodeBuilders
import NodeOS
import SystemPackage

/// Brings the control plane of this machine up and keeps it so.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Bring this machine's control plane up and keep it so.",
        discussion: """
            Ends with status 0 on SIGTERM or SIGINT; etcd and the static pods run on. It ends so, too, when nodeup has sealed \
            inputs that ask for other steps, and has to be started anew then.
            """
    )

    @Option(name: .customLong("config"), help: "The machine's boot configuration.")
    var configFile = BootConfig.path

    @Flag(help: "End once everything is true (status 0) or something failed (status 1).")
    var once = false

    func run() async throws {
        Heap.keepSmall()
        let log = Logger(label: "protokube", factory: { _ in ConsoleLog() })
        try await Signals.until(log) { [configFile, once] in
            let node = LiveNode()
            let boot = try await BootConfig(from: FilePath(configFile), on: node)
            let run = Run(node: node, boot: boot, http: CurlClient(), clock: ContinuousClock(), log: log)
            return try await run.run(once: once)
        }
    }
}
