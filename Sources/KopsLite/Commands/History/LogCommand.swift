// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `log` shows what machines were told, and who told them.
struct LogCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Show a cluster's generations, the newest first."
    )

    @Argument(help: "The cluster's name.")
    var clusterName: String?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption
    @Option(help: "How many to show.")
    var limit = 20
    @Option(name: [.short, .long], help: "table, yaml or json.")
    var output: OutputFormat = .table

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit needs a number of at least 1, not \(limit)") }
    }

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let name = try nameOption.resolve(clusterName, in: session)
        _ = try await repository.existing(name)
        // One more, whose objects the oldest shown is compared with.
        let history = try await repository.generations(of: name).history(limit: limit + 1)
        guard !history.isEmpty else {
            throw CommandFailure(
                "\(name) has no generation yet",
                remedy: "publish one with kopslite update cluster \(name) --yes"
            )
        }
        let entries = zip(history, history.dropFirst().map(Optional.some) + [nil]).map(GenerationEntry.init)
        try print(Array(entries.prefix(limit)), session.console)
    }

    private func print(_ entries: [GenerationEntry], _ console: Console) throws {
        switch output {
        case .table:
            let rows = entries.enumerated().map { index, entry in entry.row(isInForce: index == 0) }
            console.output(Table(GenerationEntry.columns, rows: rows, isSorted: false).text)
        case .json:
            console.output(String(decoding: try JSONValue.array(entries.map(\.document)).encoded(), as: UTF8.self))
        case .yaml: console.output(try YamlText.documents(entries.map(\.document)))
        }
    }
}

/// A generation as a line of the log.
struct GenerationEntry {
    let manifest: GenerationManifest
    let added: Int
    let changed: Int
    let removed: Int

    static let columns = ["GENERATION", "CREATED", "AUTHOR", "MESSAGE", "OBJECTS"]

    init(_ generation: Generation, parent: Generation?) {
        manifest = generation.manifest
        let before = parent?.manifest.objects ?? [:]
        let after = generation.manifest.objects
        added = after.keys.count { before[$0] == nil }
        removed = before.keys.count { after[$0] == nil }
        changed = after.count { before[$0.key] != nil && before[$0.key] != $0.value }
    }

    func row(isInForce: Bool) -> [String] {
        [
            "\(manifest.generation)\(isInForce ? " *" : "")", manifest.created, manifest.author, manifest.message,
            "+\(added) ~\(changed) -\(removed)",
        ]
    }

    var document: JSONValue {
        [
            "generation": .int(manifest.generation), "created": .string(manifest.created),
            "author": .string(manifest.author), "message": .string(manifest.message), "added": .int(added),
            "changed": .int(changed), "removed": .int(removed),
        ]
    }
}
