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
        if let leader { session.console.line("led by \(leader.machine), token \(leader.token)") }
        session.console.line("under way: \(record.operation?.text ?? "nothing")")
        let health = BackupHealth(of: try await place.backups.list(), begun: record.begun, now: session.now())
        session.console.line("backups: \(health.summary.text(now: session.now()))")
        if let fault = health.fault { session.console.line("backups are not as they should be: \(fault)") }
        if let request = try await place.registers.read(.backupRequest)?.value, request.isOpen {
            let trouble = request.trouble.map { "; the last attempt: \($0)" } ?? ""
            session.console.line("a backup is asked for by request \(request.asked)\(trouble)")
        }
    }
}

extension LeaderLease {
    /// The machine that holds it; the holder's name ends with what tells one start from the next.
    var machine: String { holder.split(separator: "-").dropLast().joined(separator: "-") }
}
