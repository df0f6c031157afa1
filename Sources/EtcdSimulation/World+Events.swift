// SPDX-License-Identifier: Apache-2.0
import EtcdManager
import NodeTesting

/// What happens to the world while the manager works.
enum Event: CaseIterable {
    case write
    case replicate
    case crashEtcd
    case crashProgram
    case crashMachine
    case boot
    case pause
    case resume
    case partition
    case heal
    case deafen
    case hear
    case storeAway
    case storeBack
    case loseDisk
    case loseData
    case loseRecord
    case swapVolumes
    case misleadMachine
    case clockJump
    case declare
    case upgrade
    case backUp
    case command

    /// How often it happens in comparison with the others.
    var weight: Int {
        switch self {
        case .write: 60
        case .replicate: 40
        case .boot, .resume, .heal, .hear, .storeBack: 12
        case .crashEtcd, .crashProgram, .crashMachine, .pause, .partition, .storeAway: 6
        case .loseDisk, .swapVolumes, .misleadMachine, .deafen, .declare, .upgrade, .clockJump: 3
        case .loseData, .loseRecord: 1
        case .command: 6
        case .backUp: 4
        }
    }

    /// Weights of one schedule: in each, some things happen often and some never, for what happens evenly hides what takes
    /// many of a kind.
    static func weights(_ random: inout Seeded) -> [Int] {
        allCases.map { event in
            switch event {
            case .write, .replicate, .boot, .resume, .heal, .hear, .storeBack: event.weight
            default: event.weight * [0, 1, 1, 4][Int.random(in: 0..<4, using: &random)]
            }
        }
    }
}

extension World {
    mutating func pickEvent() -> Event {
        var left = pick(weights.reduce(0, +))
        for (event, weight) in zip(Event.allCases, weights) {
            left -= weight
            if left < 0 { return event }
        }
        return .write
    }

    /// Lets something happen; the machines whose programs it ends.
    mutating func happen(_ event: Event) -> [Int] {
        let machine = pick(machines.count)
        switch event {
        case .write: write(at: machine)
        case .replicate: replicate(machine)
        case .crashEtcd: crashEtcd(machine)
        case .crashProgram: return crashProgram(machine)
        case .crashMachine: return crash(machine)
        case .boot: boot(machine)
        case .pause: setPaused(machine, true)
        case .resume: setPaused(machine, false)
        case .partition: partition()
        case .heal: heal()
        case .deafen: setHearing(machine, false)
        case .hear: setHearing(machine, true)
        case .storeAway: machines[machine].reachesStore = false
        case .storeBack: machines[machine].reachesStore = true
        case .loseDisk: return loseDisk(machine)
        case .loseData: return loseData(machine)
        case .loseRecord: loseRecord()
        case .swapVolumes: swapVolumes(machine, pick(machines.count))
        case .misleadMachine: mislead(machine, pick(machines.count))
        case .clockJump: now += .seconds(pick(600))
        case .declare: declare()
        case .upgrade: upgrade()
        case .backUp: backUp(machine)
        case .command: command()
        }
        return []
    }

    private mutating func crashEtcd(_ machine: Int) {
        guard machines[machine].process != nil else { return }
        note("etcd on m\(machine) ends")
        machines[machine].process = nil
        trouble(machine)
    }

    /// Notes that something other than the manager keeps a machine's etcd from serving.
    private mutating func trouble(_ machine: Int) {
        machines[machine].troubledSince = machines[machine].troubledSince ?? turn
    }

    /// Forgets troubles that are over.
    mutating func recover() {
        availableSince = isAvailable ? availableSince ?? turn : nil
        for number in machines.indices where machines[number].troubledSince != nil {
            let found = machines[number]
            let isCutOff = machines.filter { $0.group == found.group }.count * 2 <= machines.count
            if found.isUp, !found.isPaused, found.process != nil, !isCutOff { machines[number].troubledSince = nil }
        }
    }

    private mutating func crashProgram(_ machine: Int) -> [Int] {
        note("the program on m\(machine) ends")
        return [machine]
    }

    mutating func crash(_ machine: Int) -> [Int] {
        guard machines[machine].isUp else { return [] }
        note("m\(machine) ends")
        machines[machine].isUp = false
        machines[machine].isPaused = false
        machines[machine].hasMounted = false
        machines[machine].process = nil
        trouble(machine)
        return [machine]
    }

    mutating func boot(_ machine: Int) {
        guard !machines[machine].isUp else { return }
        note("m\(machine) boots")
        machines[machine].isUp = true
    }

    private mutating func setPaused(_ machine: Int, _ isPaused: Bool) {
        guard machines[machine].isUp, machines[machine].isPaused != isPaused else { return }
        note("m\(machine) \(isPaused ? "pauses" : "goes on")")
        machines[machine].isPaused = isPaused
        if isPaused { trouble(machine) }
    }

    private mutating func partition() {
        for number in machines.indices {
            let group = pick(2)
            machines[number].group = group
        }
        let groups = machines.map(\.group)
        note("networks: \(groups)")
        let larger = machines.filter { $0.group == 0 }.count > machines.count / 2 ? 0 : 1
        for number in machines.indices where machines[number].group != larger { trouble(number) }
    }

    private mutating func heal() {
        note("one network")
        for number in machines.indices { machines[number].group = 0 }
    }

    /// A machine's program trusts the wrong authority, so that no member answers it, while members hear each other.
    private mutating func setHearing(_ machine: Int, _ hears: Bool) {
        guard machines[machine].hears != hears else { return }
        note("m\(machine) \(hears ? "hears" : "does not hear") members")
        machines[machine].hears = hears
    }

    /// A disk is gone, and an empty one takes its place.
    private mutating func loseDisk(_ machine: Int) -> [Int] {
        guard let volume = machines[machine].volume, !keepsDisks, misled == nil else { return [] }
        note("the disk of m\(machine) is lost")
        let member = volumes[volume].member
        volumes[volume] = Volume(member: member)
        // A machine whose disk goes away does not live on as if nothing had happened.
        return crash(machine)
    }

    /// etcd's files are gone, and the volume is as it was otherwise.
    private mutating func loseData(_ machine: Int) -> [Int] {
        guard let volume = machines[machine].volume, volumes[volume].data != nil,
            volumes[volume].note?.initialised == true, !keepsDisks, misled == nil
        else { return [] }
        note("the data on m\(machine) is lost")
        volumes[volume].data = nil
        return crash(machine)
    }

    /// Somebody deletes the record from the store; backups, or data on every volume, tell that there was a cluster.
    private mutating func loseRecord() {
        let isEverywhere = machines.allSatisfy { $0.volume.map { volumes[$0].data != nil } ?? true }
        guard !backups.isEmpty || isEverywhere, etcd.lawful != nil else { return }
        // What a machine sent before it paused arrives at once in truth, and here when it goes on.
        guard !machines.contains(where: \.isPaused) else { return }
        note("the record is lost")
        store.slots[Slot.record.path] = nil
        // Whoever loses everything at once has nothing left to tell by.
        keepsDisks = true
    }

    /// Two machines that are down come up with each other's volumes.
    private mutating func swapVolumes(_ one: Int, _ other: Int) {
        guard one != other, !machines[one].isUp, !machines[other].isUp, !sharesDisks else { return }
        note("m\(one) and m\(other) swap volumes")
        let volume = machines[one].volume
        machines[one].volume = machines[other].volume
        machines[other].volume = volume
    }

    /// A machine that is down comes up with another one's disk in the place of its own, while the other one has it, too.
    private mutating func mislead(_ machine: Int, _ other: Int) {
        guard sharesDisks, misled == nil, machine != other, !machines[machine].isUp else { return }
        note("m\(machine) gets the disk of m\(other)")
        misled = (machine, machines[machine].volume)
        machines[machine].volume = machines[other].volume
    }

    /// A misled machine gets its own disk back; the machines whose programs that ends.
    mutating func correct() -> [Int] {
        guard let (machine, own) = misled else { return [] }
        let ended = crash(machine)
        note("m\(machine) gets its own disk back")
        machines[machine].volume = own
        misled = nil
        return ended
    }

    private mutating func declare() {
        let count = [1, 3, 5][pick(3)]
        spec.members = Array(World.members.prefix(count))
        note("declared: \(count) members")
    }

    /// Somebody declares other settings, or another release, which need not be one that can follow.
    private mutating func upgrade() {
        release.settings += 1
        guard chance(60) else { return }
        let choice = pick(4)
        let step = [1, 1, 2, -1][choice]
        declare(minor: max(4, release.minor + step))
    }

    /// The newest release that data may be of.
    var newestMinor: Int? { volumes.compactMap(\.newestMinor).max() }

    mutating func declare(minor: Int) {
        release.minor = minor
        let release = release.release
        spec.release = release
        note("declared: etcd \(release)")
    }

    mutating func backUp(_ machine: Int) {
        guard let disk = disk(of: machine), disk.cluster == etcd.lawful, machines[machine].isUp,
            candidate(at: machine, cluster: disk.cluster) != nil
        else { return }
        let writes = etcd.logs[disk.cluster].writes(upTo: disk.index)
        backups.append(Backup(name: "b\(backups.count)", cluster: disk.cluster, writes: writes, minor: disk.minor))
        lastBackup = turn
    }

    /// An operator restores the newest backup, and says truly which members' disks are gone.
    private mutating func command() {
        guard let backup = backups.last, let lawful = etcd.lawful else { return }
        let living = volumes.filter { $0.data?.cluster == lawful }.map(\.member)
        let log = etcd.logs[lawful]
        guard let configuration = log.configuration(at: log.entries.count) else { return }
        // Mostly where nothing else helps.
        guard chance(15) || living.count < configuration.quorum else { return }
        let lost = volumes.filter { $0.data == nil }.map(\.member)
        let identifier = "command-\(commands.count)"
        commands.insert(identifier)
        note("command: restore \(backup.name), lost \(lost)")
        let command = OperatorCommand(id: identifier, restore: backup.name, lost: lost)
        let version = store.slots[Slot.command.path].map { SlotVersion("\($0.version)") }
        try? store.write(command, to: Slot.command.path, replacing: version)
    }
}
