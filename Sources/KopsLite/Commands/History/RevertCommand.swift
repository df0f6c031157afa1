// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `revert N` brings back what was declared and downloaded in a generation, as a new one.
struct RevertCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "revert",
        abstract: "Show what bringing back a generation would change; bring it back with --yes.",
        discussion: """
            The declaration and the files of that generation come back, in a new generation; keys stay those of today.
            """
    )

    @Argument(help: "The generation's number, as kopslite log shows it.")
    var generation: Int
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Flag(name: [.short, .long], help: "Bring it back.")
    var yes = false

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let name = try nameOption.resolve(nil, in: session)
        _ = try await repository.existing(name)
        let history = try await repository.generations(of: name).history()
        let past = try await PastGeneration(history.generation(generation, of: name))
        let cluster = try await past.resolved(name, store: repository.store.url)
        // Declared first: whoever is interrupted here finds the rest in the plan of update cluster.
        if yes { try await past.declare(name, in: repository) }
        try await session.update(
            UpdateRequest(repository: repository, cluster: cluster, isConfirmed: yes, past: past),
            session
        )
    }
}
