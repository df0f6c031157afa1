// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `create -f FILE` writes declared objects; `create cluster` writes a cluster from options.
struct CreateCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Declare a cluster, from options or from a file.",
        subcommands: [CreateClusterCommand.self, CreateSecretCommand.self, CreateKeypairCommand.self]
    )

    // The parser hands a parent's options to its subcommands only when both keep them in groups of the same names.
    @OptionGroup var input: FilenameOption
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption

    func run(in session: Session) async throws {
        guard let filename = input.filename else {
            throw CommandFailure(
                "nothing to create",
                remedy: "write kopslite create cluster NAME, or kopslite create -f FILE"
            )
        }
        let repository = try state.repository(in: session)
        let file = try DeclarationFile(
            bytes: session.readFile(filename),
            file: filename == "-" ? "standard input" : filename
        )
        let declarations = try file.declarations(only: nameOption.name)
        for declaration in declarations { try await file.check(declaration, in: repository) }
        for declaration in declarations {
            for outcome in try await declaration.create(in: repository.store, now: session.now()) {
                session.console.line("\(outcome.isWritten ? "Created" : "Unchanged") \(outcome.reference)")
            }
        }
        session.console.line()
        for declaration in declarations {
            session.console.line(
                "To deploy these resources, run: kopslite update cluster \(declaration.clusterName) --yes"
            )
        }
    }
}

/// `replace -f FILE` changes objects that were declared before.
struct ReplaceCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace",
        abstract: "Change declared objects to what a file says."
    )

    @Option(name: [.customShort("f"), .customLong("filename")], help: "YAML or JSON to read, - for standard input.")
    var filename: String
    @Flag(help: "Create objects that do not exist, and overwrite what somebody else has changed meanwhile.")
    var force = false
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let file = try DeclarationFile(
            bytes: session.readFile(filename),
            file: filename == "-" ? "standard input" : filename
        )
        let declarations = try file.declarations(only: nameOption.name)
        for declaration in declarations { try await file.check(declaration, in: repository) }
        for declaration in declarations {
            for outcome in try await declaration.replace(in: repository, isForced: force) {
                session.console.line("\(outcome.isWritten ? "Replaced" : "Unchanged") \(outcome.reference)")
            }
        }
    }
}
