// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Clouds
import KopsModel

/// `toolbox` works on single machines, where the cloud lets an operator do so.
struct ToolboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "toolbox",
        abstract: "Work on single machines, and on what they may do.",
        subcommands: [
            ToolboxStop.self, ToolboxStart.self, ToolboxExec.self, ToolboxConsole.self, ToolboxPolicy.self,
            ToolboxReaderKey.self, ToolboxBootConfig.self,
        ]
    )
}

/// The machine a command works on.
struct MachineArgument: ParsableArguments {
    @Argument(help: "The machine's name, as in watch.")
    var machine: String
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption

    /// The cloud that has the machine, and the cluster's name.
    func find(in session: Session) async throws -> (cloud: any MachineControl, cluster: String) {
        let repository = try state.repository(in: session)
        let cluster = try await repository.existing(try nameOption.resolve(nil, in: session))
        let name = cluster.metadata.name
        guard let cloud = try session.cloud(cluster.spec.cloudProvider) as? any MachineControl else {
            throw CommandFailure("the cloud \(cluster.spec.cloudProvider) has no control of single machines")
        }
        let machines = try await cloud.inventory(of: name).machines.map(\.name)
        guard machines.contains(machine) else {
            let known =
                machines.isEmpty ? "it has none" : "machines there: \(machines.sorted().joined(separator: ", "))"
            throw CommandFailure("there is no machine \(machine) in \(name)", remedy: known)
        }
        return (cloud, name)
    }
}

struct ToolboxStop: SessionCommand {
    static let configuration = CommandConfiguration(commandName: "stop", abstract: "Shut a machine down.")
    @OptionGroup var argument: MachineArgument

    func run(in session: Session) async throws {
        let (cloud, cluster) = try await argument.find(in: session)
        try await cloud.stop(machine: argument.machine, of: cluster)
        session.console.line("Stopped machine/\(argument.machine)")
    }
}

struct ToolboxStart: SessionCommand {
    static let configuration = CommandConfiguration(commandName: "start", abstract: "Start a machine that was stopped.")
    @OptionGroup var argument: MachineArgument

    func run(in session: Session) async throws {
        let (cloud, cluster) = try await argument.find(in: session)
        try await cloud.start(machine: argument.machine, of: cluster)
        session.console.line("Started machine/\(argument.machine)")
    }
}

struct ToolboxExec: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a program inside a machine; its exit status is passed on."
    )
    @OptionGroup var argument: MachineArgument
    @Argument(parsing: .postTerminator, help: "The program and its arguments, after --.")
    var program: [String]

    func run(in session: Session) async throws {
        guard !program.isEmpty else { throw CommandFailure("no program is named", remedy: "write it after --") }
        let (cloud, cluster) = try await argument.find(in: session)
        let end = try await cloud.execute(program, in: argument.machine, of: cluster)
        session.console.output(String(decoding: end.standardOutput, as: UTF8.self))
        session.console.diagnostics(String(decoding: end.standardError, as: UTF8.self))
        if end.status != 0 { throw CommandFailure(lines: [], exitCode: Int32(end.status)) }
    }
}

struct ToolboxConsole: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "console",
        abstract: "Show what a machine has written to its console."
    )
    @OptionGroup var argument: MachineArgument

    func run(in session: Session) async throws {
        let (cloud, cluster) = try await argument.find(in: session)
        session.console.output(
            String(decoding: try await cloud.console(of: argument.machine, of: cluster), as: UTF8.self)
        )
    }
}
