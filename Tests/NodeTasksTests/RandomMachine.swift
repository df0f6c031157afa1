// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTasks
import NodeTesting
import PKI
import SystemPackage

/// A machine in a random state, and tasks of random kinds that it is to be converged by.
///
/// Each task finds its object missing, as declared, or drifted in some part; none finds a conflict, which only a person
/// could resolve.
struct RandomMachine {
    var machine = FakeMachine()
    var tasks: [any NodeTask] = []
    var random: Seeded
    /// How many objects there are so far, for names that nobody else has.
    private var count = 0
    /// Whether systemd has not read a unit's file, while another task may make it read all of them.
    var reloadsBesideOutdated: Bool {
        let outdated = machine.units.values.contains { $0.loaded == "older\n" }
        return outdated && tasks.count { $0 is ServiceTask } > 1
    }

    init(seed: UInt64) {
        random = Seeded(seed)
        machine.putDirectory("/etc")
        machine.putDirectory("/opt")
        machine.put("program", at: "/var/cache/program")
        machine.images["docker"] = ["sha256:other"]
        for _ in 0..<Int.random(in: 1...10, using: &random) { addOne() }
        tasks.shuffle(using: &random)
    }

    private mutating func addOne() {
        count += 1
        switch Int.random(in: 0..<16, using: &random) {
        case 0: addFile(FilePath("/etc/f\(count)"))
        case 1: addDirectory()
        case 2: addSymlink()
        case 3: addPackage()
        case 4, 5: addService()
        case 6: addUser()
        case 7: addGroup()
        case 8: addMount()
        case 9: addBindMount()
        case 10: addDisk()
        case 11: addArchive()
        case 12: addImage()
        case 13: addSysctl()
        case 14: addModule()
        case 15 where chance(2): addCertificate()
        default: addHosts()
        }
    }

    mutating func chance(_ of: Int) -> Bool { Int.random(in: 0..<of, using: &random) == 0 }

    mutating func pick<Value>(_ values: Value...) -> Value { values.randomElement(using: &random) ?? values[0] }

    mutating func ensure() -> Ensure { chance(4) ? .absent : .present }

    /// The number of the object that is being made.
    var number: Int { count }
}

// MARK: Files

extension RandomMachine {
    @discardableResult
    mutating func addFile(_ path: FilePath) -> TaskID {
        let owner: String? = pick(nil, "0", "7")
        let content: FileTask.Content =
            chance(3) ? .file("/var/cache/program", sha256: digest("program")) : .bytes([UInt8]("new".utf8))
        let task = FileTask(
            path,
            content: content,
            attributes: Attributes(mode: pick(0o644, 0o600, 0o4755), owner: owner, group: pick(nil, "0", "9")),
            secret: chance(4),
            ensure: ensure()
        )
        tasks.append(task)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: break
        case 1: machine.put("old", at: path, mode: 0o640)
        case 2: machine.put("new", at: path)
        case 3: machine.put("program", at: path, mode: 0o600)
        default:
            machine.putDirectory(path.removingLastComponent())
            machine.files[path] = FakeMachine.Entry(.symlink, target: "/nowhere", mode: 0o777)
        }
        if machine.files[path]?.kind == .regular, chance(2) { machine.files[path]?.uid = 7 }
        return task.id
    }

    mutating func addDirectory() {
        let path = FilePath("/srv/d\(number)")
        let ensure = ensure()
        tasks.append(DirectoryTask(path, mode: pick(0o755, 0o700), owner: pick(nil, "7"), ensure: ensure))
        if chance(2) { machine.put("inside", at: path.appending("before")) }
        if ensure == .present, chance(2) { addFile(path.appending("deeper").appending("f")) }
    }

    mutating func addSymlink() {
        let path = FilePath("/etc/l\(number)")
        tasks.append(SymlinkTask(path, target: "here", ensure: ensure()))
        guard chance(2) else { return }
        machine.files[path] = FakeMachine.Entry(.symlink, target: pick("here", "there"), mode: 0o777)
    }

    mutating func addHosts() {
        let name = "b\(number)"
        tasks.append(HostsBlockTask(name, entries: ["10.0.0.\(number)": ["a", "b"]], ensure: ensure()))
        guard chance(2) else { return }
        let old = machine.text(at: "/etc/hosts") ?? "127.0.0.1 localhost\n"
        let block = "# BEGIN kopslite \(name)\n\(pick("10.0.0.\(number) a b", "10.9.9.9 x"))\n# END kopslite \(name)\n"
        machine.put(old + block, at: "/etc/hosts")
    }

    mutating func addArchive() {
        let tar = "top/a\tone\ntop/b\ttwo\n"
        machine.put(tar, at: FilePath("/var/cache/t\(number)"))
        let path = FilePath("/opt/a\(number)")
        let source = FilePath("/var/cache/t\(number)")
        tasks.append(
            ArchiveTask(source, sha256: digest(tar), path: path, stripComponents: pick(0, 1), ensure: ensure())
        )
        guard chance(2) else { return }
        let old = ".a\(number).0123456789abcdef-0"
        machine.put("old", at: FilePath("/opt").appending(old).appending("x"))
        if chance(2) { machine.put("half", at: FilePath("/opt").appending("\(old).partial").appending("x")) }
        machine.files[path] = FakeMachine.Entry(.symlink, target: old, mode: 0o777)
    }

    mutating func addCertificate() {
        let (certificate, key) = (FilePath("/etc/pki/k\(number).crt"), FilePath("/etc/pki/k\(number).key"))
        tasks.append(
            CertificateTask(
                certificate: certificate,
                key: key,
                profile: .fixture,
                signer: .keyset(authority),
                mode: pick(0o600, 0o400),
                owner: pick(nil, "7"),
                ensure: ensure(),
                now: { fixedNow }
            )
        )
        guard chance(2) else { return }
        let issued = issue(.fixture)
        machine.put(issued.certificate, at: certificate)
        machine.put(chance(2) ? issued.privateKey : issue(.fixture).privateKey, at: key, mode: 0o600)
    }
}
