// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// Keeps a control-plane machine's etcd, discovery and add-ons true.
@main
struct Protokube: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "protokube",
        abstract: "Keeps a control-plane machine's etcd, discovery and add-ons true.",
        subcommands: [RunCommand.self, EtcdCommand.self],
        defaultSubcommand: RunCommand.self
    )
}
