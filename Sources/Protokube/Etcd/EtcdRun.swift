// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import Fetch
import KopsModel
import Logging
import NodeOS
import ObjectStores
import StateStore
import SystemPackage

/// One etcd member on a machine outside of any Kubernetes cluster: its volume, etcd, and backups, as on a node.
struct EtcdRun: Sendable {
    let node: any NodeWriter
    let config: FilePath
    let http: any HTTPClient
    let clock: any Clock<Duration>
    let log: Logger
    var runner: any CommandRunner = SubprocessRunner()
    var filesystems: any FilesystemTools = FilesystemPrograms()
    /// Opens the state store by its URL.
    var open: @Sendable (String) throws -> any StateStore = { try openStore($0) }

    /// Runs until the surrounding task is cancelled, or with `once` until everything is true or something failed.
    ///
    /// etcd runs on where systemd runs it, and has ended with this where it is a child.
    func run(once: Bool) async throws -> Pipeline.Ending {
        let file = EtcdMachineFile(config, node: node)
        let machine = try await file.machine()
        let doorbell = Doorbell()
        let now = Stopwatch(clock).elapsed
        // sd_booted(3).
        let isSystemd = try await node.status(of: "/run/systemd/system") != nil
        let programs = EtcdPrograms(runner: runner)
        let child =
            isSystemd ? nil : EtcdChild(node: node, programs: programs, now: now, ended: { doorbell.alarm() })
        let state = ClusterState(boot: machine.boot, open: { [open] in try open(machine.store) })
        let words = isSystemd ? "journalctl -u etcd-\(machine.name)" : "see etcd's own words here"
        let reported = ReportedRun(
            node: node,
            clusterState: state,
            clock: clock,
            log: log,
            subject: "etcd \(machine.name)",
            journal: FilePath("/var/lib/kopslite/etcd-\(machine.name)-\(machine.member)-status.json"),
            doorbell: doorbell
        )
        let site = MachineSite(
            file: file,
            etcdCluster: machine.name,
            clusterName: machine.cluster,
            node: node,
            filesystems: filesystems,
            http: http,
            now: now,
            open: state.open,
            child: child,
            sideline: reported.sideline,
            programs: programs
        )
        let ending: Result<Pipeline.Ending, any Error>
        do {
            ending = .success(
                try await reported.run(once: once) { reporter in
                    let etcd = EtcdSteps(
                        site,
                        log: words,
                        sideline: reported.sideline,
                        summarises: { await reporter.summarises($0, $1) }
                    )
                    return etcd.member + etcd.upkeep
                }
            )
        } catch {
            ending = .failure(error)
        }
        // In a task of its own, for what a signal has cancelled gives etcd no time to end.
        await Task { await child?.stop() }.value
        return try ending.get()
    }
}

extension EtcdMachine {
    /// The machine as reports name it.
    fileprivate var boot: BootConfig {
        BootConfig(
            store: store,
            clusterName: cluster,
            instanceGroup: "etcd-\(name)",
            instance: machine ?? "",
            address: own.flatMap { EtcdURL($0.clientURL)?.host } ?? ""
        )
    }
}
