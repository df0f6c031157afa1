// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Fetch
import Logging
import NodeOS
import SystemPackage

/// etcd on machines that are no Kubernetes nodes.
struct EtcdCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "etcd",
        abstract: "Run etcd on machines outside of any Kubernetes cluster.",
        subcommands: [Run.self]
    )

    /// Runs this machine's member.
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run this machine's etcd member, and the cluster where it leads.",
            discussion: """
                Where systemd is the init, etcd is the unit etcd-NAME and runs on when this ends; elsewhere it is this \
                program's child and ends with it. The file is read anew at each look.
                """
        )

        @Option(name: .customLong("config"), help: "What this machine is told of its member, as JSON.")
        var configFile = "/etc/kopslite/etcd.json"

        @Flag(help: "End once everything is true (status 0) or something failed (status 1).")
        var once = false

        func run() async throws {
            Heap.keepSmall()
            let log = Logger(label: "protokube", factory: { _ in ConsoleLog() })
            let run = EtcdRun(
                node: LiveNode(),
                config: FilePath(configFile),
                http: CurlClient(),
                clock: ContinuousClock(),
                log: log
            )
            try await Signals.until(log) { [once] in try await run.run(once: once) }
        }
    }
}
