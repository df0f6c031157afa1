// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `export kubeconfig NAME` lets kubectl reach a cluster.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Export what other programs need.",
        subcommands: [ExportKubeconfigCommand.self]
    )
}

struct ExportKubeconfigCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubeconfig",
        abstract: "Write a cluster into kubectl's configuration.",
        aliases: ["kubecfg"]
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Flag(help: "Include a client certificate of an administrator.")
    var admin = false
    @Option(help: "How long the certificate is valid, such as 1h; 18h when not given.")
    var validity: DurationArgument?
    @Option(help: "The file to write; KUBECONFIG or ~/.kube/config when not given.")
    var kubeconfig: String?

    func validate() throws {
        if let validity, validity.duration <= .zero {
            throw ValidationError("--validity needs more than no time, such as 1h")
        }
    }

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let cluster = try await repository.resolved(try nameOption.resolve(clusterName, in: session))
        guard admin else {
            throw CommandFailure(
                "a kubeconfig without credentials is of no use to kubectl here",
                remedy: "pass --admin"
            )
        }
        guard
            let file = kubeconfig.map(Kubeconfig.File.init(path:)) ?? Kubeconfig.File(environment: session.environment)
        else { throw CommandFailure("no place for a kubeconfig", remedy: "pass --kubeconfig FILE, or set HOME") }
        let credentials = try await session.adminCredentials(
            repository,
            cluster,
            validity?.duration ?? .seconds(18 * 3600)
        )
        try file.merge(credentials, as: cluster.name)
        session.console.line("kopslite has set your kubectl context to \(cluster.name)")
    }
}
