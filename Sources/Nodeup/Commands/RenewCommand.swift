// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import NodeOS
import NodeTasks
import SystemPackage

/// Issues certificates anew where they are due.
struct RenewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew",
        abstract: "Renew this machine's certificates where two thirds of their life are over.",
        discussion: """
            Works from the sealed inputs of the last apply, without the cluster's store or a network, and changes \
            nothing but certificates and their keys. Exit status: 0 all are as declared, 1 failed.
            """
    )

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let lock = try RunLock.acquire(below: "/")
        defer { lock.release() }
        let report = try await RenewRun(node: LiveNode()).converge()
        Console.print(try output.render(report))
        if report.failed { throw ExitCode(1) }
    }
}
