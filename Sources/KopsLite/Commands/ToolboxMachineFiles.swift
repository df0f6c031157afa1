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
    @Option(help: "The machine's name.")
    var machine: String
    @Option(help: "The address other machines reach it at.")
    var address: String

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let name = try nameOption.resolve(clusterName, in: session)
        let groups = try await repository.groups(of: repository.existing(name).metadata.name).map(\.metadata.name)
        guard groups.contains(group) else {
            throw CommandFailure(
                "there is no instance group \(group) in \(name)",
                remedy: "groups there: \(groups.joined(separator: ", "))"
            )
        }
        guard DNSName.isLabel(machine) else {
            throw CommandFailure("\"\(machine)\" is no name of a machine", remedy: "use a-z, 0-9 and dashes")
        }
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
}
