// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeTesting

/// Everything outside the manager: machines, volumes, networks, the store, and etcd itself.
struct World: Sendable {
    var random: Seeded
    var now: Duration = .zero
    /// Counts what has happened; each request and each event is one.
    var turn = 0
    var machines: [Machine]
    var volumes: [Volume]
    var store = SharedStore()
    var etcd = EtcdModel()
    var backups: [Backup] = []
    var spec: EtcdSpec
    /// The release or settings that members are to run with.
    var release = Declaration()
    /// The operator's commands by identifier.
    var commands: Set<String> = []
    /// Names every promise that was broken.
    var violations: [String] = []
    var trace: [String]?
    /// Whether disks fail no more.
    var keepsDisks = false
    /// Whether things still go wrong.
    var isHostile = true

    /// Whether several machines reach a disk, as in a storage network; then disks never change their machines.
    var sharesDisks: Bool
    /// The machine that was given another one's disk, and its own disk.
    var misled: (machine: Int, own: Int?)?

    /// How often each kind of event happens.
    var weights: [Int] = []
    /// The turn since which a quorum serves.
    var availableSince: Int?
    /// The turn of the last backup.
    var lastBackup: Int?

    init(seed: UInt64, traced: Bool) {
        random = Seeded(seed)
        machines = (0..<5).map { Machine(number: $0, volume: $0) }
        volumes = World.members.map(Volume.init)
        weights = Event.weights(&random)
        sharesDisks = Int.random(in: 0..<3, using: &random) == 0
        let urls = World.members.map { ($0, "https://\($0):2380") }
        spec = EtcdSpec(
            clusterName: "c",
            etcdCluster: "main",
            members: [],
            peerURLs: Dictionary(uniqueKeysWithValues: urls)
        )
        trace = traced ? [] : nil
        let count = [1, 3, 3, 5][Int.random(in: 0..<4, using: &random)]
        spec.members = Array(World.members.prefix(count))
        spec.release = release.release
    }

    static let members = ["a", "b", "c", "d", "e"]

    mutating func note(_ text: @autoclosure () -> String) {
        guard trace != nil else { return }
        trace?.append("\(turn) \(text())")
    }

    mutating func violate(_ text: String) {
        violations.append("turn \(turn): \(text)")
        note("VIOLATION \(text)")
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    mutating func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
}

/// A machine of the simulation.
struct Machine: Sendable {
    var number: Int
    /// The volume that is attached; `nil` while none is.
    var volume: Int?
    /// Whether it has mounted the volume since it booted.
    var hasMounted = false
    var isUp = true
    var isPaused = false
    var reachesStore = true
    /// Whether members answer its program.
    var hears = true
    /// Machines reach each other within a group.
    var group = 0
    /// The turn since which something outside the manager keeps it from serving; `nil` where nothing does.
    var troubledSince: Int?
    var process: EtcdProcess?

    /// Which machine each member's name stands for.
    var names: [String: Int] = [:]

    var address: String { "m\(number)" }
    var clientURL: String { "https://m\(number):2379" }
    /// The machine a client URL is of.
    static func number(of url: String) -> Int? {
        guard url.hasPrefix("https://m"), let digit = url.dropFirst(9).first else { return nil }
        return digit.wholeNumberValue
    }
}

/// A volume of the simulation.
struct Volume: Sendable {
    var member: String
    var isFormatted = false
    var note: VolumeNote?
    var data: EtcdDisk?
    /// Which machine's it was last.
    var claim: VolumeClaims.Holder?
    /// Data that was moved out of the way.
    var aside: [EtcdDisk] = []

    init(member: String) { self.member = member }

    var isBlank: Bool { !isFormatted }

    /// The newest release that the data may be of.
    var newestMinor: Int? {
        let noted = note?.releases?.newest.split(separator: ".").dropFirst().first.flatMap { Int($0) }
        return data.map { max($0.minor, noted ?? 0) }
    }
}

/// A backup of the simulation: a beginning of a log.
struct Backup: Sendable {
    var name: String
    var cluster: Int
    var writes: Set<Int>
    /// The release that took it.
    var minor: Int
}

/// The store of the simulation.
struct SharedStore: Sendable {
    var slots: [String: (value: any Sendable, version: Int)] = [:]
    var versions = 0

    mutating func write(_ value: any Sendable, to path: String, replacing version: SlotVersion?) throws {
        let found = slots[path].map { SlotVersion("\($0.version)") }
        guard found == version else { throw RegisterError.conflict(path: path) }
        versions += 1
        slots[path] = (value, versions)
    }
}
