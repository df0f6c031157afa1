// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import EtcdManager
import FoundationEssentials

/// `etcd restore NAME BACKUP` has the machines begin etcd anew from a backup.
struct EtcdRestoreCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Show how etcd would be begun anew from a backup; do it with --yes.",
        discussion: """
            What was written after the backup is given up; what etcd holds now is backed up first, where a member answers. Every member stops first; one whose machine or disk will never \
            come back as it was must be named with --lost, for nobody can wait for it.
            """
    )

    @OptionGroup var options: EtcdOptions
    @Option(help: "The backup; the newest that is proven by default.")
    var backup: String?
    @Option(help: "Members that will never come back as they were, separated by commas.")
    var lost: String = ""
    @Flag(name: [.short, .long], help: "Do it.")
    var yes = false

    func run(in session: Session) async throws {
        let place = try await options.place(in: session)
        let record = try await place.record()
        let lost = lost.split(separator: ",").map(String.init)
        if let stranger = lost.first(where: { record.members[$0] == nil }) {
            throw CommandFailure(
                lines: [
                    "--lost: \(stranger) is none of the members \(record.members.keys.sorted().joined(separator: ", "))"
                ],
                exitCode: 1
            )
        }
        let chosen = try await choose(place, record)
        show(chosen, record, lost, session)
        guard yes else { return session.console.line("Must specify --yes to restore") }
        let held = try await place.registers.read(.command)
        let command = OperatorCommand(
            id: "\(chosen.name)-\(Int(session.now().timeIntervalSince1970))",
            restore: chosen.name.description,
            lost: lost
        )
        try await place.registers.write(command, to: .command, replacing: held?.version)
        session.console.line("The machines do it now; follow it with: kopslite etcd status \(place.clusterName)")
    }

    private func choose(_ place: EtcdPlace, _ record: ClusterRecord) async throws -> StoredBackup {
        let backups = try await place.backups.list()
        let found =
            if let backup {
                backups.first { $0.name.description == backup }
            } else {
                backups.filter { $0.standing == .proven }.max { $0.name < $1.name }
            }
        guard let found, found.standing != .failed, found.record?.source.identity == record.id else {
            throw CommandFailure(
                lines: [
                    backup.map { "backup \($0) is not there, is damaged, or is of another cluster" }
                        ?? "no backup is proven; name one with --backup: kopslite etcd backups \(place.clusterName)"
                ],
                exitCode: 1
            )
        }
        return found
    }

    /// The plan, with the quorum before and after each step.
    private func show(_ chosen: StoredBackup, _ record: ClusterRecord, _ lost: [String], _ session: Session) {
        let members = record.members.keys.sorted()
        let voters = record.voters.count
        let stopping = members.filter { !lost.contains($0) }
        let rows = [
            ["1", "back up what etcd holds, where a member answers", "\(voters) voters", "as before"],
            ["2", "stop \(stopping.joined(separator: ", "))", "\(voters) voters", "none: etcd is down"],
            ["3", "lay backup \(chosen.name) on one of them, as epoch \(record.epoch + 1)", "none", "none"],
            ["4", "start it: revisions go on above those of before", "none", "1 of 1"],
        ]
        let joins = members.dropFirst().enumerated().map { number, _ in
            [
                "\(number + 5)", "the next member joins empty, and gets its vote", "\(number + 1) voters",
                "\(number + 2) voters",
            ]
        }
        session.console.output(
            Table(["STEP", "WHAT", "QUORUM BEFORE", "AFTER"], rows: rows + joins, isSorted: false).text + "\n"
        )
    }
}
