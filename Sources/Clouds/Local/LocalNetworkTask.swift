// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTasks

/// The bridge the machines share, the host's address on it, and the way out.
struct LocalNetworkTask: LocalTask {
    struct Found: Sendable, Equatable {
        var record: NetworkRecord?
        var hasBridge = false
        var hasAddress = false
        var forwards = false
        var inotifyInstances = 0
        var hasRules = false
        /// Another interface of the host that is in the same network, with its address.
        var conflict: String?
    }

    enum Step: LocalStep {
        case record(NetworkRecord, old: NetworkRecord?)
        case bridge(String)
        case address(String)
        case forwarding
        case inotifyInstances(from: Int)
        case rules

        var change: Change {
            switch self {
            case .record(let new, let old):
                Change("network", from: old.map { .text($0.networkCIDR) }, to: .text(new.networkCIDR))
            case .bridge(let name): Change("bridge", to: .text(name))
            case .address(let address): Change("address", to: .text(address))
            case .forwarding: Change("net.ipv4.ip_forward", from: .text("0"), to: .text("1"))
            case .inotifyInstances(let old):
                Change(
                    "fs.inotify.max_user_instances",
                    from: .text("\(old)"),
                    to: .text("\(LocalNetworkTask.inotifyInstances)")
                )
            case .rules: Change("masquerading", to: .text("on"))
            }
        }

        var action: CloudChange.Action {
            if case .record(_, old: nil) = self { .create } else { .modify }
        }
    }

    /// Each machine's systemd, docker and kubelet take some tens, all from root's share on the host; 128 is too few for
    /// three machines.
    static let inotifyInstances = 1024

    let names: LocalNames
    let subnet: IPv4Subnet

    let kind = "network"
    var name: String { names.clusterName }
    var after: [TaskID] { [] }

    func find(on host: LocalHostReader) async throws -> Found? { try await host.network(subnet) }

    func plan(from found: Found?) throws -> [Step] {
        let found = found ?? Found()
        if let conflict = found.conflict {
            throw Failure(
                .permanent,
                code: "network-taken",
                "the machine network \(subnet) overlaps \(conflict) of this host",
                hint: "choose another with --network-cidr or spec.networkCIDR, or delete the cluster that has it"
            )
        }
        let wanted = NetworkRecord(
            clusterName: names.clusterName,
            bridge: names.bridge,
            networkCIDR: subnet.description
        )
        if let record = found.record, record.networkCIDR != wanted.networkCIDR {
            throw Failure(
                .permanent,
                code: "network-fixed",
                "the machine network of \(names.clusterName) is \(record.networkCIDR) and cannot become \(subnet)",
                hint: "delete the cluster and create it again"
            )
        }
        var steps: [Step] = []
        if found.record != wanted { steps.append(.record(wanted, old: found.record)) }
        if !found.hasBridge { steps.append(.bridge(names.bridge)) }
        if !found.hasAddress { steps.append(.address("\(subnet.gateway)/\(subnet.length)")) }
        if !found.forwards { steps.append(.forwarding) }
        if found.inotifyInstances < Self.inotifyInstances {
            steps.append(.inotifyInstances(from: found.inotifyInstances))
        }
        if !found.hasRules { steps.append(.rules) }
        return steps
    }

    func apply(_ step: Step, on host: LocalHost) async throws {
        switch step {
        case .record(let record, _):
            try LocalFiles.makeDirectory(host.layout.cluster)
            try LocalFiles.write(LocalJSON.encode(record), to: host.layout.network)
        case .bridge(let name):
            try await LocalCommand(
                "ip",
                "link",
                "add",
                "name",
                name,
                "address",
                names.bridgeHardwareAddress,
                "type",
                "bridge"
            )
            .run()
        case .address(let address):
            try await LocalCommand("ip", "address", "replace", address, "dev", names.bridge).run()
            try await LocalCommand("ip", "link", "set", names.bridge, "up").run()
        // Both settings stay when the cluster goes: nobody can tell who else has come to need them.
        case .forwarding: try LocalFiles.overwrite(LocalHostReader.forwarding, "1")
        case .inotifyInstances: try LocalFiles.overwrite(LocalHostReader.inotify, String(Self.inotifyInstances))
        case .rules: try await LocalFirewall.ofHost().complete(names, subnet)
        }
    }
}
