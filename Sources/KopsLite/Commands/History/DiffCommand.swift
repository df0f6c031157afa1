// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import KopsModel
import StateStore

/// `diff [A] [B]` shows what differs between two generations.
struct DiffCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show what differs between two generations.",
        discussion: """
            With no number, the one in force and the one before it; with one number, that one and the one in force. What would \
            change if the declaration were applied now is shown by update cluster. Exit status: 0 no difference, 2 differences.
            """
    )

    @Argument(help: "The older generation's number.")
    var old: Int?
    @Argument(help: "The newer generation's number.")
    var new: Int?
    @OptionGroup var nameOption: NameOption
    @OptionGroup var state: StateOption

    func run(in session: Session) async throws {
        let repository = try state.repository(in: session)
        let name = try nameOption.resolve(nil, in: session)
        _ = try await repository.existing(name)
        let history = try await repository.generations(of: name).history()
        let (from, to) = try sides(of: history, name)
        let lines = try await GenerationDifference(old: from, new: .published(to)).lines()
        session.console.line("generation \(from.number) and generation \(to.number) of \(name)")
        guard !lines.isEmpty else { return session.console.line("no difference") }
        for line in lines { session.console.line(line) }
        throw CommandFailure(lines: [], exitCode: 2)
    }

    private func sides(of history: [Generation], _ name: String) throws -> (Generation, Generation) {
        let to = try new.map { try history.generation($0, of: name) } ?? history.newest(of: name)
        if let old { return (try history.generation(old, of: name), to) }
        guard history.count > 1 else {
            throw CommandFailure("\(name) has one generation only", remedy: "see it with kopslite log \(name)")
        }
        return (history[1], to)
    }
}

extension [Generation] {
    /// The generation of a number.
    func generation(_ number: Int, of name: String) throws -> Generation {
        if let found = first(where: { $0.number == number }) { return found }
        let known = map { String($0.number) }.joined(separator: ", ")
        throw CommandFailure(
            "\(name) never followed a generation \(number)",
            remedy: known.isEmpty
                ? "publish one with kopslite update cluster \(name) --yes" : "choose one of \(known)"
        )
    }

    /// The generation in force.
    func newest(of name: String) throws -> Generation {
        guard let first else {
            throw CommandFailure(
                "\(name) has no generation yet",
                remedy: "publish one with kopslite update cluster \(name) --yes"
            )
        }
        return first
    }
}
