// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import KopsModel
import NodeOS
import SystemPackage
import Testing

@testable import Clouds

@Suite("A real machine", .serialized)
struct LocalMachineTests {
    @Test(
        "runs user-data, writes its status, keeps its volumes when made anew, and leaves nothing",
        .timeLimit(.minutes(10))
    )
    func life() async throws {
        guard let bench = try await Bench.make() else { return }
        try await bench.run { try await lifeSteps(bench) }
    }

    @Test("is gone without trace after everything was killed, and when it was never finished", .timeLimit(.minutes(10)))
    func killed() async throws {
        guard let bench = try await Bench.make() else { return }
        try await bench.run { try await killedSteps(bench) }
    }

    private func lifeSteps(_ bench: Bench) async throws {
        let cloud = bench.cloud
        let desired = bench.desired
        var start = ContinuousClock.now
        try await cloud.apply(desired) { _ in }
        #expect(try await cloud.plan(desired).isEmpty)
        try await bench.waitForReport("cp-1", lines: 1)
        print("measured: apply to user-data of one machine: \(ContinuousClock.now - start)")
        #expect(!(try await bench.traces().isEmpty), "the comparison at the end must be able to fail")

        // What user-data saw.
        let seen = try #require(try bench.report("cp-1").first)
        #expect(seen["instance"] == "cp-1")
        #expect(seen["address"] == bench.subnet.machineAddresses.lowerBound.addressText)
        #expect(seen["admin"] == "hidden")
        #expect(seen["control-plane"] == "readable")
        #expect(seen["spec"] == "read-only")
        #expect(seen["other"] == "hidden")
        #expect(seen["volume"] == "blank")
        #expect(seen["assets"] == "there")

        // A program inside: output, status, names.
        let host = try await cloud.execute(["hostname"], in: "cp-1", of: bench.clusterName)
        #expect(String(decoding: host.standardOutput, as: UTF8.self) == "cp-1\n")
        #expect(
            try await cloud.execute(["sh", "-c", "echo no >&2; exit 3"], in: "cp-1", of: bench.clusterName).status == 3
        )
        #expect(try await cloud.execute(["no such program"], in: "cp-1", of: bench.clusterName).status != 0)
        let identity = try await cloud.execute(["cat", "/etc/machine-id"], in: "cp-1", of: bench.clusterName)
            .standardOutput
        // A loop device of the machine's own, that it forgets to detach.
        let loop = "truncate -s 1M /root/\(bench.id).img && losetup -f --show /root/\(bench.id).img"
        #expect(try await cloud.execute(["sh", "-c", loop], in: "cp-1", of: bench.clusterName).status == 0)

        // Stopped and started it is the same machine, and user-data does not run again.
        try await cloud.stop(machine: "cp-1", of: bench.clusterName)
        #expect(try await cloud.inventory(of: bench.clusterName).machines.map(\.state) == ["stopped"])
        #expect(try await LoopDevice.all().filter { $0.backingFile.contains(bench.id) }.isEmpty)
        #expect(try await cloud.plan(desired).map(\.description) == ["start machine cp-1"])
        try await cloud.start(machine: "cp-1", of: bench.clusterName)
        try await bench.within("cloud-init done") {
            let result = try await cloud.execute(
                ["test", "-e", "/run/cloud-init/result.json"],
                in: "cp-1",
                of: bench.clusterName
            )
            return result.status == 0
        }
        #expect(try bench.report("cp-1").count == 1)
        let again = try await cloud.execute(["cat", "/etc/machine-id"], in: "cp-1", of: bench.clusterName)
            .standardOutput
        #expect(again == identity)

        // Made anew it is another machine with the same volume.
        try await cloud.deleteMachine("cp-1", of: bench.clusterName)
        #expect(try await cloud.inventory(of: bench.clusterName).volumes == ["a.etcd-main"])
        try await cloud.apply(desired) { _ in }
        try await bench.waitForReport("cp-1", lines: 2)
        #expect(try bench.report("cp-1").last?["volume"] == "first")
        let other = try await cloud.execute(["cat", "/etc/machine-id"], in: "cp-1", of: bench.clusterName)
            .standardOutput
        #expect(other != identity)

        // Two more at once; they reach the first, and see less of the store.
        var three = desired
        three.machines += [bench.machine("nodes-1", .node), bench.machine("nodes-2", .node)]
        start = ContinuousClock.now
        try await cloud.apply(three) { _ in }
        for name in ["nodes-1", "nodes-2"] { try await bench.waitForReport(name, lines: 1) }
        print("measured: apply to user-data of two more machines: \(ContinuousClock.now - start)")
        #expect(try bench.report("nodes-1").first?["control-plane"] == "hidden")
        let first = bench.subnet.machineAddresses.lowerBound.addressText
        let ping = try await cloud.execute(["ping", "-c", "1", "-W", "5", first], in: "nodes-2", of: bench.clusterName)
        #expect(ping.status == 0, "\(String(decoding: ping.standardOutput, as: UTF8.self))")

        // One less is deleted.
        try await cloud.apply(desired) { _ in }
        #expect(try await cloud.inventory(of: bench.clusterName).machines.map(\.name) == ["cp-1"])

        // Nothing in the store was removed by a machine that has it below /tmp.
        #expect(LocalFiles.exists(bench.store.appending(bench.clusterName).appending("spec").appending("kept")))
        try await bench.deleteAndLookForTraces()
    }

    private func killedSteps(_ bench: Bench) async throws {
        try await bench.cloud.apply(bench.desired) { _ in }
        let host = try bench.cloud.host(of: bench.clusterName)
        for group in host.groups.names(prefix: host.names.controlGroupPrefix) { host.groups.kill(group) }
        try await bench.within("the machine is dead") { try await bench.cloud.plan(bench.desired).count == 1 }
        // A machine whose making was interrupted, and one of which only the directory is there.
        try LocalFiles.makeDirectory(host.layout.unfinishedFiles("nodes-1"))
        try LocalFiles.rename(host.layout.files("cp-1"), to: host.layout.unfinishedFiles("cp-1"))
        try await bench.deleteAndLookForTraces()

        // Only the kernel knows: the files are gone first.
        try await bench.cloud.apply(bench.desired) { _ in }
        let group = try #require(host.groups.names(prefix: host.names.controlGroupPrefix).first)
        host.groups.kill(group)
        try await bench.within("the machine is dead") { !host.groups.isPopulated(group) }
        for device in try await LoopDevice.all() where device.backingFile.contains(bench.directory.string) {
            try await device.detach()
        }
        try await LocalMounts.unmount(below: host.layout.cluster)
        try await LocalRootFileSystem.remove(host.layout.cluster)
        try await bench.deleteAndLookForTraces()
    }
}

/// A cluster with one control-plane machine in a directory of its own, on the host the tests run on.
private struct Bench: Sendable {
    let directory: FilePath
    let id: String
    let clusterName: String
    let subnet: IPv4Subnet
    let repository: FilePath

    var store: FilePath { directory.appending("store") }
    var cloud: LocalCloud { LocalCloud(root: directory.appending("cloud")) }

    /// `nil` where machines cannot run; in CI that is a failure.
    static func make() async throws -> Bench? {
        let cache = ProcessInfo.processInfo.environment["KOPSLITE_CACHE"] ?? "/var/cache/kopslite"
        let repository = FilePath(cache).appending("assets")
        var missing = ["systemd-nspawn", "ip", "losetup", "iptables"].filter { !LocalCommand.isInstalled($0) }
        if !LocalFiles.exists(repository.pushing("rootfs/bookworm.tar")) {
            missing.append("\(repository)/rootfs/bookworm.tar")
        }
        if !LocalHostReader.isRoot { missing.append("root") }
        guard missing.isEmpty else {
            let reason = "real machines need \(missing.joined(separator: ", ")), which is not here"
            if ProcessInfo.processInfo.environment["CI"] == "true" { Issue.record("\(reason)") }
            print("not run: \(reason)")
            return nil
        }
        let id = String(UInt32.random(in: 1 << 28...UInt32.max), radix: 16)
        let subnet = try IPv4Subnet("10.\(UInt8.random(in: 64...127)).\(UInt8.random(in: 0...255)).0/24")
        let bench = Bench(
            directory: FilePath("/tmp/kopslite-machines-\(id)"),
            id: id,
            clusterName: "t\(id).example.test",
            subnet: subnet,
            repository: repository
        )
        let cluster = bench.store.appending(bench.clusterName)
        try LocalFiles.makeDirectory(cluster.appending("spec"))
        try LocalFiles.makeDirectory(bench.store.appending("other.example.test"))
        try LocalFiles.write([], to: cluster.appending("spec").appending("kept"))
        for role in ["admin", "control-plane"] {
            try LocalFiles.makeDirectory(cluster.appending("private").appending(role))
            try LocalFiles.write([], to: cluster.appending("private").appending(role).appending("secret"))
        }
        return bench
    }

    /// Runs the steps, and whatever happened takes everything away.
    func run(_ steps: () async throws -> Void) async throws {
        do {
            try await steps()
        } catch {
            let console = (try? await cloud.console(of: "cp-1", of: clusterName)) ?? []
            print(String(decoding: console.suffix(4000), as: UTF8.self))
            try await cloud.delete(clusterName) { _ in }
            try await LocalRootFileSystem.remove(directory)
            throw error
        }
        try await LocalRootFileSystem.remove(directory)
    }

    var desired: DesiredCloud {
        DesiredCloud(
            clusterName: clusterName,
            networkCIDR: subnet.description,
            store: "file://\(store)",
            fileRepository: "file://\(repository)",
            machines: [machine("cp-1", .controlPlane)],
            volumes: [
                DesiredVolume(
                    name: "a.etcd-main",
                    zone: "a",
                    size: 1,
                    labels: ["k8s.io/etcd/main": "a/a"],
                    machine: "cp-1"
                )
            ]
        )
    }

    func machine(_ name: String, _ role: InstanceRole) -> DesiredMachine {
        DesiredMachine(name: name, instanceGroup: "g", role: role, zone: "a", userData: UserDataTemplate(script))
    }

    /// Appends a line of `name=value` to the machine's own report.
    private var script: String {
        """
        #!/bin/bash
        set -u
        cluster=\(store)/\(clusterName)
        look() { if ls "$1"/secret >/dev/null 2>&1; then echo readable; else echo hidden; fi; }
        spec=writable; touch $cluster/spec/new 2>/dev/null || spec=read-only
        other=there; [ -e \(store)/other.example.test ] || other=hidden
        assets=missing; [ -e /opt/kopslite/assets/rootfs ] && [ -e \(repository)/rootfs ] && assets=there
        device=$(sed -n 's/.*"device" *: *"\\([^"]*\\)".*/\\1/p' /etc/kopslite/volumes.json)
        volume=none
        if [ -n "$device" ]; then
            volume=blank
            if mount "$device" /mnt 2>/dev/null; then volume=$(cat /mnt/word); else
                mkfs.ext4 -q "$device" && mount "$device" /mnt && echo first >/mnt/word
            fi
            umount /mnt
        fi
        report=$cluster/status/{{INSTANCE}}/report
        { cat $report 2>/dev/null
          echo "instance={{INSTANCE}} address={{ADDRESS}} admin=$(look $cluster/private/admin)" \\
            "control-plane=$(look $cluster/private/control-plane) spec=$spec other=$other volume=$volume assets=$assets"
        } >$report.new
        mv $report.new $report
        """
    }

    func report(_ machine: String) throws -> [[String: String]] {
        let file = store.appending(clusterName).appending("status").appending(machine).appending("report")
        return String(decoding: try LocalFiles.read(file) ?? [], as: UTF8.self).split(separator: "\n").map { line in
            let pairs = line.split(separator: " ").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
            return Dictionary(pairs.map { ($0[0], $0.count > 1 ? $0[1] : "") }, uniquingKeysWith: { $1 })
        }
    }

    func waitForReport(_ machine: String, lines: Int) async throws {
        try await within("\(machine) has run its user-data") { try report(machine).count == lines }
    }

    func within(_ what: String, _ condition: () async throws -> Bool) async throws {
        let host = try cloud.host(of: clusterName)
        guard try await host.wait(.seconds(120), until: condition) else { throw Late(what: what) }
    }

    struct Late: Error { let what: String }

    /// Deletes twice; then nothing may be left, of which `traces` found something before.
    func deleteAndLookForTraces() async throws {
        try await cloud.delete(clusterName) { _ in }
        #expect(try await traces() == [])
        #expect(!LocalFiles.exists(directory.appending("cloud")))
        try await cloud.delete(clusterName) { change in Issue.record("the second deletion found \(change)") }
        #expect(try await traces() == [])
    }

    /// What on the host carries the cluster's names or paths.
    ///
    /// Other clusters may come and go meanwhile.
    func traces() async throws -> [String] {
        let names = try LocalNames(clusterName: clusterName)
        var lines = try await LocalCommand("losetup", "-a").run()
        lines += try await LocalCommand("ip", "-o", "link").run() + LocalCommand("iptables-save").run()
        lines += LocalFiles.text("/proc/self/mounts") ?? ""
        lines += try await LocalCommand("find", "/sys/fs/cgroup", "-maxdepth", "3", "-name", "*kopslite*").run()
        lines += try await LocalCommand("find", "/run/systemd").run()
        lines += try await LocalCommand("ps", "-ww", "-e", "-o", "args").run()
        return lines.split(separator: "\n").map(String.init).filter {
            $0.contains(names.id) || $0.contains(directory.string + "/") || $0.contains(id + ".img")
        }
    }
}

extension UInt32 {
    fileprivate var addressText: String { IPv4Address(self).description }
}
