// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// `etcd …` is what protokube does for an etcd on machines that need not be a cluster's.
struct EtcdCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "etcd",
        abstract: "Care for an etcd that need not be Kubernetes'.",
        subcommands: [EtcdRunCommand.self, EtcdMigrateCommand.self]
    )
}
