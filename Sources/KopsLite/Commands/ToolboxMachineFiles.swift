// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `toolbox reader-key NAME` prints the key that opens a role's secrets, for machines that no cloud gives it to.
struct ToolboxReaderKey: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "reader-key",
        abstract: "Print the key that a role's machines open their secrets with.",
        discussion: "A secret: put it at \(ReaderKey.path) of bare-metal machines, readable by root only."
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Option(help: "control-plane or node.")
    var role: String

    func run(in session: Session) async throws {
        guard let role = InstanceRole(rawValue: role) else {
            throw CommandFailure("there is no role \(role)", remedy: "write control-plane or node")
        }
        let repository = try state.repository(in: session)
        let name = try nameOption.resolve(clusterName, in: session)
        _ = try await repository.existing(name)
        let keyring = try await repository.keyringPlace(of: name).existing()
        let key = try keyring.key(of: SecretReader(role))
        session.console.output(String(decoding: try key.encoded(), as: UTF8.self))
    }
}

/// `toolbox boot-config NAME` prints what a machine must know before it has read the store.
struct ToolboxBootConfig: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "boot-config",
        abstract: "Print what a machine that no cloud launches must know to join.",
        discussion: "Put it at \(BootConfig.path) of the machine. It holds no secret; the reader-key of its role does."
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Option(help: "The instance group the machine belongs to.")
    var group: String
    @Option(help: "The machine's name: GROUP-1, GROUP-2 and so on, up to the group's minSize.")
    var machine: String
    @Option(help: "The IPv4 address other machines reach it at.")
    var address: String

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let name = try nameOption.resolve(clusterName, in: session)
        let cluster = try await repository.resolved(name)
        try check(in: cluster)
        let boot = BootConfig(
            store: repository.store.url,
            clusterName: name,
            instanceGroup: group,
            instance: machine,
            address: address,
            trust: try await repository.keyringPlace(of: name).existing().trust
        )
        try ObjectPrinter(console: session.console).value(boot, format: .json)
    }

    /// Refuses what other machines could not reach, and a name that no command would wait for: `watch`, `get drift` and the
    /// gates before each change of keys go by the machines that are declared.
    private func check(in cluster: ResolvedCluster) throws {
        guard let declared = cluster.groups.first(where: { $0.metadata.name == group }) else {
            throw CommandFailure(
                "there is no instance group \(group) in \(cluster.name)",
                remedy: "groups there: \(cluster.groups.map(\.metadata.name).joined(separator: ", "))"
            )
        }
        let names = cluster.machines(of: declared).map(\.name)
        guard names.contains(machine) else {
            let last = names.count > 1 ? names.last.map { " to \($0)" } ?? "" : ""
            let there = names.first.map { "name it \($0)\(last), or " } ?? ""
            throw CommandFailure(
                "instance group \(group) of \(cluster.name) declares no machine \"\(machine)\"",
                remedy: there + "raise the group's minSize: its machines are \(group)-1 and so on"
            )
        }
        guard IPv4Address(address) != nil else {
            throw CommandFailure("\"\(address)\" is no IPv4 address", remedy: "write one such as 10.0.0.2")
        }
    }
}
