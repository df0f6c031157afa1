// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import EtcdManager

/// `etcd status NAME` shows every member, what is being done, and how well it is backed up.
struct EtcdStatusCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show every member, what is being done, and how well etcd is backed up.",
        discussion: "From the state store alone: it works while no machine answers."
    )

    @OptionGroup var options: EtcdOptions

    func run(in session: Session) async throws {
        let place = try await options.place(in: session)
        let record = try await place.record()
        var rows: [[String]] = []
        for (name, member) in record.members.sorted(by: { $0.key < $1.key }) {
            let report = try await place.registers.read(.report(of: name))?.value
            rows.append([
                name, member.state.rawValue, report?.machine ?? "-", report?.data.rawValue ?? "unknown",
                report.map { $0.isRunning ? ($0.isCurrent ? "yes" : "restart owed") : "no" } ?? "unknown",
            ])
        }
        session.console.output(Table(["MEMBER", "STATE", "MACHINE", "DATA", "RUNS"], rows: rows).text + "\n")
        session.console.line("cluster \(record.id), epoch \(record.epoch)")
        let leader = try await place.registers.read(.lease)?.value
        if let leader { session.console.line("led by \(leader.holder.machine), token \(leader.token)") }
        session.console.line("under way: \(record.operation?.text ?? "nothing")")
        let backups = BackupSummary(of: try await place.backups.list())
        session.console.line("backups: \(backups.text(now: session.now()))")
    }
}

extension String {
    /// The machine of a lease's holder, which ends with what tells one start from the next.
    fileprivate var machine: String {
        split(separator: "-").dropLast().joined(separator: "-")
    }
}
