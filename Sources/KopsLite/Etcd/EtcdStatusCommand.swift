// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import EtcdManager
import FoundationEssentials
import KopsModel
import StateStore

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
        let sight = MachineSight(
            store: try options.state.repository(in: session).store,
            layout: ClusterLayout(clusterName: place.clusterName),
            now: session.now()
        )
        var rows: [[String]] = []
        for (name, member) in record.members.sorted(by: { $0.key < $1.key }) {
            let report = try await place.registers.read(.report(of: name))?.value
            rows.append([
                name, member.state.rawValue, report?.machine ?? "-", report?.data.rawValue ?? "unknown",
                report.map { $0.isRunning ? ($0.isCurrent ? "yes" : "restart owed") : "no" } ?? "unknown",
                try await sight.seen(report?.machine),
            ])
        }
        session.console.output(Table(["MEMBER", "STATE", "MACHINE", "DATA", "RUNS", "SEEN"], rows: rows).text + "\n")
        session.console.line("cluster \(record.id), epoch \(record.epoch)")
        let leader = try await place.registers.read(.lease)?.value
        if let leader { session.console.line(try await sight.text(of: leader)) }
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

/// When machines of an etcd cluster were last heard of: what is said of a member is written only when it changes, and stands
/// unchanged when its machine is gone.
private struct MachineSight {
    let store: any StateStore
    let layout: ClusterLayout
    let now: Date

    /// How long ago a machine was heard of, such as `12s ago`.
    func seen(_ machine: String?) async throws -> String {
        guard let machine, let report = try await report(of: machine) else { return "never" }
        return "\(Age.text(report.age(at: now))) ago"
    }

    /// Who holds the lease, and whether the holder is there to renew it.
    func text(of lease: LeaderLease) async throws -> String {
        let doubt: String
        if let report = try await report(of: lease.machine) {
            // What counts as silence is several times as long as a lease is respected.
            doubt = report.isStale(at: now) ? ", which was last seen \(Age.text(report.age(at: now))) ago" : ""
        } else {
            doubt = ", which has never been seen"
        }
        return "led by \(lease.machine)\(doubt), token \(lease.token)"
    }

    /// What protokube there last wrote; `nil` where it wrote nothing that can be read.
    private func report(of machine: String) async throws -> AgentStatus? {
        try await store.read(layout.status(of: "protokube", on: machine)).flatMap {
            try? AgentStatus(parsing: $0.bytes)
        }
    }
}

extension LeaderLease {
    /// The machine that holds it; the holder's name ends with what tells one start from the next.
    var machine: String { holder.split(separator: "-").dropLast().joined(separator: "-") }
}
