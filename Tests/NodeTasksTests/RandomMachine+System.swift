// SPDX-License-Identifier: Apache-2.0
import NodeOS
import NodeTasks
import NodeTesting
import SystemPackage

extension RandomMachine {
    mutating func addPackage() {
        let name = "p\(number)"
        tasks.append(PackageTask(name, version: pick(nil, "2"), ensure: ensure()))
        machine.repository[name] = "2"
        guard chance(2) else { return }
        machine.packages[name] = PackageStatus(version: pick("1", "2"), configured: !chance(3))
    }

    /// A unit with a definition of its own or of a vendor, and files it reads.
    mutating func addService() {
        let name = "s\(number).service"
        let path = FilePath("/etc/systemd/system").appending(name)
        let reads: [FilePath] = chance(2) ? [FilePath("/etc/s\(number)/a"), FilePath("/etc/s\(number)/b")] : []
        let isVendors = chance(3)
        let ensure = isVendors ? .present : ensure()
        var followed: [TaskID] = []
        for path in reads where chance(2) { followed.append(addFile(path)) }
        tasks.append(
            ServiceTask(
                name,
                definition: isVendors ? nil : "new\n",
                running: !chance(4),
                enabled: !chance(4),
                restartOn: followed,
                ensure: ensure
            )
        )
        var unit = FakeMachine.Unit(vendorDefinition: isVendors ? "vendor\n" : nil, reads: reads)
        if !isVendors, chance(2) { machine.put(pick("old\n", "new\n"), at: path) }
        if isVendors || machine.files[path] != nil {
            let text = isVendors ? "vendor\n" : machine.text(at: path) ?? ""
            unit.isEnabled = chance(2)
            unit.isActive = chance(2)
            unit.loaded = chance(4) && !isVendors ? "older\n" : text
            if unit.isActive {
                unit.startedWith = [unit.loaded ?? ""] + reads.map { machine.text(at: $0) ?? "" }
            }
            machine.units[name] = unit
        } else if !reads.isEmpty {
            machine.units[name] = unit
        }
    }

    mutating func addUser() {
        let name = "u\(number)"
        let groups: [String]? = pick(nil, ["root"], ["g\(number)", "root"])
        if groups?.contains("g\(number)") == true { tasks.append(GroupTask("g\(number)", gid: pick(nil, 800))) }
        let uid = UInt32(2000 + number)
        let ensure = ensure()
        tasks.append(
            UserTask(
                name,
                uid: pick(nil, uid),
                home: pick(nil, "/home/\(name)"),
                shell: pick(nil, "/bin/false"),
                groups: groups,
                ensure: ensure
            )
        )
        if ensure == .present, chance(2) {
            tasks.append(FileTask(FilePath("/etc/of-\(name)"), contents: "x", owner: name))
        }
        guard chance(2) else { return }
        machine.users[name] = UserEntry(
            name: name,
            uid: pick(uid, 3000 + UInt32(number)),
            home: "/home/\(name)",
            shell: pick("/bin/sh", "/bin/false"),
            groups: pick([], ["root"])
        )
    }

    mutating func addGroup() {
        let name = "g\(number)"
        tasks.append(GroupTask(name, gid: pick(nil, 4000 + UInt32(number)), ensure: ensure()))
        if chance(2) { machine.groups[name] = GroupEntry(name: name, gid: 5000 + UInt32(number), members: ["root"]) }
    }

    mutating func addMount() {
        let path = FilePath("/mnt/m\(number)")
        let ensure = ensure()
        tasks.append(
            MountTask(
                device: "tmpfs",
                path: path,
                filesystem: "tmpfs",
                options: pick([], ["ro"], ["nodev", "size=1m"]),
                ensure: ensure
            )
        )
        if chance(2) {
            machine.putDirectory(path)
            machine.mounts.append(
                MountEntry(
                    source: "tmpfs",
                    path: path,
                    filesystem: "tmpfs",
                    options: pick(["rw"], ["ro"], ["rw", "nodev"])
                )
            )
        }
        // Once something is mounted there, what is below is as it will be found.
        if ensure == .present, machine.mounts.contains(where: { $0.path == path }), chance(2) {
            addFile(path.appending("f"))
        }
    }

    mutating func addBindMount() {
        let (source, path) = (FilePath("/srv/b\(number)"), FilePath("/mnt/b\(number)"))
        let ensure = ensure()
        tasks.append(BindMountTask(source, path: path, options: pick([], ["ro"]), ensure: ensure))
        if chance(2) { machine.putDirectory(source) } else { tasks.append(DirectoryTask(source)) }
        guard machine.files[source] != nil, chance(2) else { return }
        machine.putDirectory(path)
        machine.mounts.append(
            MountEntry(
                source: "/dev/root",
                path: path,
                filesystem: "ext4",
                options: pick(["rw"], ["ro"]),
                root: source.string
            )
        )
    }

    /// A device, its file system, and a mount of it with a file.
    mutating func addDisk() {
        let device = FilePath("/dev/sd\(number)")
        tasks.append(FilesystemTask(device: device, type: "ext4", label: pick(nil, "disk")))
        let isMade = chance(2)
        machine.devices[device] = BlockDeviceStatus(
            signature: isMade ? "ext4" : nil,
            label: isMade ? "disk" : nil,
            endsAreZero: !isMade,
            size: 1 << 30
        )
        let path = FilePath("/mnt/d\(number)")
        guard chance(2) else { return }
        tasks.append(MountTask(device: device.string, path: path, filesystem: "ext4"))
        if isMade, chance(2) {
            machine.putDirectory(path)
            machine.mounts.append(MountEntry(source: device.string, path: path, filesystem: "ext4", options: ["rw"]))
        }
        if chance(2) { tasks.append(FileTask(path.appending("f"), contents: "x")) }
    }

    mutating func addImage() {
        let text = "image \(number)"
        let source = FilePath("/var/cache/i\(number)")
        machine.put(text, at: source)
        tasks.append(ImageTask(source, sha256: digest(text), runtime: "docker", ensure: ensure()))
        guard chance(2) else { return }
        let identifier = "sha256:\(digest(text))"
        if chance(2) { machine.images["docker"]?.insert(identifier) }
        let note = "{\"runtime\":\"docker\",\"identifiers\":[\"\(identifier)\"]}"
        machine.put(note, at: FilePath("/var/lib/kopslite/images/docker").appending("\(digest(text)).json"))
    }

    mutating func addSysctl() {
        let key = "net.k\(number)"
        tasks.append(SysctlTask(key, value: "1", ensure: ensure()))
        machine.sysctls[key] = pick("0", "1")
        let file = FilePath("/etc/sysctl.d/99-kopslite-\(key).conf")
        if chance(2) { machine.put(pick("\(key) = 1\n", "other\n"), at: file) }
    }

    mutating func addModule() {
        let name = "k\(number)"
        tasks.append(KernelModuleTask(name, ensure: ensure()))
        if chance(2) { machine.modules.insert(name) }
        if chance(2) { machine.put(pick("\(name)\n", "other\n"), at: FilePath("/etc/modules-load.d/\(name).conf")) }
    }
}
