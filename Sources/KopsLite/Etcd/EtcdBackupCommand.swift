// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import EtcdManager
import NodeOS

/// `etcd backup NAME` has the machines back etcd up now, and waits for it.
struct EtcdBackupCommand: SessionCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Have the machines back etcd up now, and wait until the backup is listed.",
        discussion: "By way of the state store alone: the machine that leads etcd takes it within seconds."
    )

    @OptionGroup var options: EtcdOptions
    @Option(help: "How long to wait for the backup, such as 10m; 5m by default.")
    var wait: DurationArgument?

    func run(in session: Session) async throws {
        let place = try await options.place(in: session)
        _ = try await place.record()
        let request = try await RequestedBackups(registers: place.registers).ask()
        let backup = try await taken(for: request, place, session)
        let rows = BackupTable.rows([backup], now: session.now())
        session.console.output(Table(BackupTable.columns, rows: rows).text + "\n")
    }

    private func taken(for number: Int, _ place: EtcdPlace, _ session: Session) async throws -> StoredBackup {
        let elapsed = session.stopwatch()
        let limit = wait?.duration ?? .seconds(300)
        var leader = LeaderSight()
        var said = ""
        while true {
            let request = try await place.registers.read(.backupRequest)?.value
            if let request, request.answered >= number, let name = request.backup,
                let backup = try await place.backups.find(name)
            {
                return backup
            }
            leader.look(try await place.registers.read(.lease)?.value, at: elapsed())
            let awaited = leader.awaited(of: place, trouble: request?.trouble)
            if awaited != said { session.console.note("request \(number) waits for \(awaited)") }
            said = awaited
            let left = limit - elapsed()
            guard left > .zero else { throw timedOut(number, place, awaited, limit) }
            try await session.clock.sleep(for: min(.seconds(1), left))
        }
    }

    private func timedOut(_ number: Int, _ place: EtcdPlace, _ awaited: String, _ limit: Duration) -> Failure {
        Failure(
            .waiting,
            code: "backup-not-taken",
            "no backup of etcd \(place.etcdCluster) of \(place.clusterName) was taken within"
                + " \(limit.components.seconds) s: request \(number) waits for \(awaited)",
            hint:
                "the request stays and is answered once that is over; see kopslite etcd status \(place.clusterName), and"
                + " journalctl -u protokube on the control plane"
        )
    }
}

/// Who leads, as somebody sees it who only reads the lease now and then.
private struct LeaderSight {
    private var seen: (lease: LeaderLease, since: Duration)?
    private var isAbandoned = false

    mutating func look(_ lease: LeaderLease?, at now: Duration) {
        if let lease, seen?.lease != lease { seen = (lease, now) }
        isAbandoned = seen.map { now - $0.since > LeaderLease.length } ?? false
    }

    func awaited(of place: EtcdPlace, trouble: String?) -> String {
        let etcd = "etcd \(place.etcdCluster)"
        guard let lease = seen?.lease else { return "a machine to lead \(etcd)" }
        if isAbandoned { return "a machine to lead \(etcd): \(lease.machine), which did, does not renew its lease" }
        return "\(lease.machine), which leads \(etcd)" + (trouble.map { "; its last attempt: \($0)" } ?? ", to take it")
    }
}
