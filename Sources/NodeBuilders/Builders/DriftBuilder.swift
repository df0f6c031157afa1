// SPDX-License-Identifier: Apache-2.0
import KopsModel
import NodeOS
import NodeTasks
import StateStore
import SystemPackage

/// The timer that lets the machine compare itself with what it was told to be.
struct DriftBuilder: NodeBuilder {
    static let service = "nodeup-drift.service"
    static let timer = "nodeup-drift.timer"

    func tasks(for context: NodeContext) throws -> [any NodeTask] {
        [
            // Each new unit makes systemd read all of them again; a node that is becoming Ready has better things to do.
            Declare.triggeredService(
                Self.service,
                definition: Self.unit(for: context.boot),
                after: [.service(KubeletBuilder.service)]
            ),
            Declare.service(Self.timer, definition: Self.timerUnit, after: [.service(Self.service)], restartOn: []),
        ]
    }

    /// The unit as the package ships it, and what a store in a directory needs beyond it.
    static func unit(for boot: BootConfig) -> String {
        let shipped = String(decoding: PackageResources.nodeup_drift_service, as: UTF8.self)
        guard let directory = reportDirectory(of: boot), let path = UnitText.optionalPath(directory.string) else {
            return shipped
        }
        let isTemporary = ["/tmp", "/var/tmp"].contains { directory.starts(with: FilePath($0)) }
        return shipped + "ReadWritePaths=\(path)\n"
            // An empty /tmp in the place of the real one would take the report with it when the service ends.
            + (isTemporary ? "PrivateTmp=false\n" : "")
    }

    /// Where the machine's reports are on the machine itself; `nil` for a store behind a network.
    private static func reportDirectory(of boot: BootConfig) -> FilePath? {
        guard let store = try? FileStore(url: boot.store),
            let key = try? ClusterLayout(clusterName: boot.clusterName).statuses(on: boot.instance)
        else { return nil }
        return key.parts.reduce(store.directory) { $0.appending($1) }
    }

    private static let timerUnit = String(decoding: PackageResources.nodeup_drift_timer, as: UTF8.self)
}
