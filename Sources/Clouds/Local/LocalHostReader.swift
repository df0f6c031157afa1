// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Glibc
import KopsModel
import NodeOS
import SystemPackage

/// A cluster as this host's files and kernel show it: nothing here can change it.
struct LocalHostReader: Sendable {
    let layout: LocalLayout
    let names: LocalNames
    let groups: LocalControlGroups

    static let forwarding: FilePath = "/proc/sys/net/ipv4/ip_forward"
    static let inotify: FilePath = "/proc/sys/fs/inotify/max_user_instances"

    static var isRoot: Bool { geteuid() == 0 }

    /// Whether files of the cluster are there; the kernel may hold more.
    var hasFiles: Bool { LocalFiles.exists(layout.cluster) }
    var hasBridge: Bool { LocalFiles.exists(Self.interface(names.bridge)) }

    static func interface(_ name: String) -> FilePath { FilePath("/sys/class/net").appending(name) }

    func networkRecord() throws -> NetworkRecord? { try LocalJSON.decode(NetworkRecord.self, from: layout.network) }

    func network(_ subnet: IPv4Subnet) async throws -> LocalNetworkTask.Found {
        var found = LocalNetworkTask.Found()
        found.record = try networkRecord()
        found.hasBridge = hasBridge
        found.forwards = LocalFiles.text(Self.forwarding) == "1"
        found.inotifyInstances = LocalFiles.text(Self.inotify).flatMap { Int($0) } ?? 0
        for interface in try await Self.interfaces() {
            if interface.name == names.bridge {
                let own = interface.address == subnet.gateway && interface.length == subnet.length
                found.hasAddress = found.hasAddress || (own && interface.isUp)
            } else if interface.overlaps(subnet) {
                found.conflict = "\(interface.address)/\(interface.length) on \(interface.name)"
            }
        }
        // Rules name the bridge, so there are none without it but what a crash left, and adding repeats nothing.
        found.hasRules = found.hasBridge ? try await LocalFirewall.ofHost().isComplete(names, subnet) : false
        return found
    }

    func machineNames() -> [String] { LocalFiles.list(layout.machines) }
    func machine(_ name: String) throws -> MachineRecord? {
        try LocalJSON.decode(MachineRecord.self, from: layout.record(ofMachine: name))
    }
    func machines() throws -> [MachineRecord] { try machineNames().compactMap(machine) }

    func volume(_ name: String) throws -> VolumeRecord? {
        try LocalJSON.decode(VolumeRecord.self, from: layout.record(ofVolume: name))
    }
    func volumes() throws -> [VolumeRecord] {
        try LocalFiles.list(layout.volumes).filter { $0.hasSuffix(".json") }.compactMap {
            try volume(String($0.dropLast(5)))
        }
    }

    /// Another machine that runs and was told at its start that it has a volume.
    func holder(
        of volume: String,
        besides machine: String,
        isRunning: (MachineRecord) throws -> Bool
    ) throws -> String? {
        try machines().first { other in
            guard other.name != machine, try isRunning(other) else { return false }
            let told = try LocalJSON.decode(VolumeAnnouncement.self, from: layout.announcement(other.name))
            return told?.volumes.contains { $0.name == volume } == true
        }?.name
    }

    func address(of record: MachineRecord) throws -> IPv4Address {
        guard let address = IPv4Address(record.address) else {
            throw Failure(
                .permanent,
                code: "local-record-damaged",
                "\(layout.record(ofMachine: record.name)) has \"\(record.address.printable)\" as address",
                hint: "delete the machine and create it again"
            )
        }
        return address
    }

    func controlGroup(of record: MachineRecord) throws -> String { names.controlGroup(try address(of: record)) }
    func isRunning(_ record: MachineRecord) throws -> Bool { groups.isPopulated(try controlGroup(of: record)) }

    /// When a machine that runs was started: its leader's start, proc_pid_stat(5), which counts from the host's boot.
    func launched(_ record: MachineRecord) throws -> Date? {
        guard let leader = groups.leader(of: try controlGroup(of: record)),
            let status = LocalFiles.text(FilePath("/proc/\(leader)/stat")), let name = status.lastIndex(of: ")"),
            let uptime = LocalFiles.text("/proc/uptime")?.split(separator: " ").first.flatMap({ Double($0) })
        else { return nil }
        let fields = status[status.index(after: name)...].split(separator: " ")
        guard fields.count > 19, let ticks = Double(fields[19]) else { return nil }
        return Date(timeIntervalSinceNow: ticks / Double(sysconf(Int32(_SC_CLK_TCK))) - uptime)
    }

    /// A machine that must be there.
    ///
    /// - Throws: ``Failure`` `no-such-machine`.
    func existing(_ name: String) throws -> MachineRecord {
        try LocalNames.check(machine: name)
        guard let record = try machine(name) else {
            let others = machineNames().joined(separator: ", ")
            throw Failure(
                .permanent,
                code: "no-such-machine",
                "cluster \(names.clusterName) has no machine \(name) in the local cloud",
                hint: others.isEmpty ? "there is none: run update cluster" : "there are \(others)"
            )
        }
        return record
    }

    /// An address of the host.
    struct Interface: Sendable, Equatable {
        var name: String
        var address: IPv4Address
        var length: Int
        var isUp: Bool

        func overlaps(_ subnet: IPv4Subnet) -> Bool {
            let shared = UInt32(32 - min(length, subnet.length))
            return address.value >> shared == subnet.base.value >> shared
        }
    }

    private static func interfaces() async throws -> [Interface] {
        try parse(try await LocalCommand("ip", "-json", "-4", "address", "show").run())
    }

    /// Reads what ip(8) prints as JSON.
    static func parse(_ text: String) throws -> [Interface] {
        let interfaces = try JSONValue(parsing: Array(text.utf8)).array ?? []
        return interfaces.flatMap { interface -> [Interface] in
            // A removed one may leave an empty object.
            guard let name = interface["ifname"]?.string else { return [] }
            let isUp = interface["flags"]?.array?.contains { $0.string == "UP" } ?? false
            return (interface["addr_info"]?.array ?? []).compactMap { entry in
                guard let address = entry["local"]?.string.flatMap({ IPv4Address($0) }),
                    case .int(let length)? = entry["prefixlen"], (1...32).contains(length)
                else { return nil }
                return Interface(name: name, address: address, length: length, isUp: isUp)
            }
        }
    }
}
