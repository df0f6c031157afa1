// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import EtcdManager
import FoundationEssentials
import KopsModel
import StateStore

/// `etcd restore NAME` has the machines begin etcd anew from a backup.
struct EtcdRestoreCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Show how etcd would be begun anew from a backup; do it with --yes.",
        discussion: """
            What was written after the backup is given up; what etcd holds now is backed up first, where a member answers. \
            Every member stops first; one whose machine or disk will never come back as it was must be named with --lost, \
            for nobody can wait for it. Until a member serves again, another restore takes the place of this one, and \
            --abandon gives it up while members are still being stopped.
            """
    )

    @OptionGroup var options: EtcdOptions
    @Option(help: "The backup; the newest that is proven by default.")
    var backup: String?
    @Option(help: "Members that will never come back as they were, separated by commas.")
    var lost: String = ""
    @Flag(help: "Give up a restore that is still stopping members; they go on as before.")
    var abandon = false
    @Flag(name: [.short, .long], help: "Do it.")
    var yes = false

    func run(in session: Session) async throws {
        let place = try await options.place(in: session)
        if abandon { return try await abandon(place, session) }
        let record = try await place.registers.read(.record)?.value
        let members = if let record { record.members.keys.sorted() } else { try await place.reporting() }
        let lost = try lost(among: members)
        let backups = try await place.backups.list()
        let choice = RestoreChoice(
            backups: backups,
            identity: record?.id,
            release: try await release(place, record, session)
        )
        let chosen = try choice.choose(backup, for: place.clusterName)
        let plan = RestorePlan(chosen: chosen, members: members, lost: lost, record: record)
        show(plan, session)
        guard yes else { return session.console.line("Must specify --yes to restore") }
        let command = OperatorCommand(id: id(of: chosen.name, session), restore: chosen.name.description, lost: lost)
        if record == nil {
            try await rebuild(place, chosen, backups, members, command)
        } else {
            try await give(command, at: place)
        }
        session.console.line("The machines do it now; follow it with: kopslite etcd status \(place.clusterName)")
    }

    private func lost(among members: [String]) throws -> [String] {
        let lost = lost.split(separator: ",").map(String.init)
        guard let stranger = lost.first(where: { !members.contains($0) }) else { return lost }
        throw CommandFailure("--lost: \(stranger) is none of the members \(members.joined(separator: ", "))")
    }

    /// The release that will serve the data: the one that machines follow, or else what the members have come to.
    private func release(_ place: EtcdPlace, _ record: ClusterRecord?, _ session: Session) async throws -> String? {
        let repository = try options.state.repository(in: session)
        let reader = try await repository.generations(of: place.clusterName)
        guard try await reader.head() != nil else { return record?.release }
        return try await reader.current().controlPlane()?.etcd(place.etcdCluster)?.version ?? record?.release
    }

    private func show(_ plan: RestorePlan, _ session: Session) {
        let table = Table(["STEP", "WHAT", "QUORUM BEFORE", "AFTER"], rows: plan.rows(), isSorted: false)
        session.console.output(table.text)
        session.console.line()
        for remark in plan.remarks() { session.console.note(remark) }
    }

    private func id(of what: some CustomStringConvertible, _ session: Session) -> String {
        "\(what)-\(Int(session.now().timeIntervalSince1970))"
    }

    private func give(_ command: OperatorCommand, at place: EtcdPlace) async throws {
        let held = try await place.registers.read(.command)
        try await place.registers.write(command, to: .command, replacing: held?.version)
    }

    private func rebuild(
        _ place: EtcdPlace,
        _ chosen: StoredBackup,
        _ backups: [StoredBackup],
        _ members: [String],
        _ command: OperatorCommand
    ) async throws {
        let last = try await place.registers.read(.command)?.value
        let lost = chosen.record.flatMap {
            LostRecord($0, among: backups, members: members, lost: command.lost, command: command.id, last: last)
        }
        guard let lost else {
            throw CommandFailure(
                "no machine has reported of a member of etcd \(place.clusterName)/\(place.etcdCluster)",
                remedy: "start its machines first"
            )
        }
        try await place.registers.write(lost.record, to: .record, replacing: nil)
    }

    private func abandon(_ place: EtcdPlace, _ session: Session) async throws {
        guard case .restore(let restore)? = try await place.record().operation else {
            throw CommandFailure("no restore of etcd \(place.clusterName)/\(place.etcdCluster) is under way")
        }
        if let founder = restore.founder {
            throw CommandFailure(
                "member \(founder) begins anew already: what was before is beside its data, and is no cluster any more",
                remedy: "restore another backup in its place: kopslite etcd backups \(place.clusterName)"
            )
        }
        session.console.line("The restore of \(restore.backup) is given up, and members go on as before")
        guard yes else { return session.console.line("Must specify --yes to do it") }
        try await give(OperatorCommand(id: id(of: "abandon", session), restore: nil), at: place)
    }
}
