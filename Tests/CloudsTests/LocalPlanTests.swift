// SPDX-License-Identifier: Apache-2.0
import Glibc
import KopsModel
import NodeOS
import SystemPackage
import Testing

@testable import Clouds

@Suite("A plan of the local cloud")
struct LocalPlanTests {
    private func desired(_ name: String = "plan-test.example.com") -> DesiredCloud {
        DesiredCloud(
            clusterName: name,
            networkCIDR: "10.117.93.0/24",
            store: "file:///srv/store",
            fileRepository: "file:///srv/files",
            machines: ["cp-1", "nodes-1"].map {
                DesiredMachine(
                    name: $0,
                    instanceGroup: "g",
                    role: $0 == "cp-1" ? .controlPlane : .node,
                    zone: "a",
                    userData: UserDataTemplate("x")
                )
            },
            volumes: [DesiredVolume(name: "a.etcd-main", zone: "a", size: 1, labels: ["k": "v"], machine: "cp-1")]
        )
    }

    @Test("names everything when nothing is there, the same twice, and changes nothing")
    func absent() async throws {
        try await withTemporaryDirectory { root in
            let cloud = LocalCloud(root: root.appending("cloud"))
            let plan = try await cloud.plan(desired())
            #expect(
                plan.map(\.description) == [
                    "create machine cp-1", "create machine nodes-1", "create network plan-test.example.com",
                    "create volume a.etcd-main",
                ]
            )
            #expect(try await cloud.plan(desired()) == plan)
            #expect(LocalFiles.list(root).isEmpty)
            #expect(try await cloud.inventory(of: "plan-test.example.com") == CloudInventory())
        }
    }

    @Test("gives addresses in order, keeps them, and reuses only what a deletion freed")
    func addresses() async throws {
        try await withTemporaryDirectory { root in
            let cloud = LocalCloud(root: root)
            let host = try cloud.host(of: "plan-test.example.com")
            try place("nodes-1", at: "10.117.93.10", complete: true, in: host)
            let plan = try await cloud.plan(desired())
            let created = try #require(plan.first { $0.description == "create machine cp-1" })
            #expect(created.details.first?.contains("10.117.93.11") == true)
            #expect(plan.contains { $0.description == "start machine nodes-1" })
        }
    }

    @Test("finishes a machine that was half made, and deletes one that is not desired")
    func halfMade() async throws {
        try await withTemporaryDirectory { root in
            let cloud = LocalCloud(root: root)
            let host = try cloud.host(of: "plan-test.example.com")
            try place("nodes-1", at: "10.117.93.17", complete: false, in: host)
            // A crash between the directory and the record.
            try LocalFiles.makeDirectory(host.layout.machine("old-1"))
            let plan = try await cloud.plan(desired())
            #expect(plan.contains { $0.description == "delete machine old-1" })
            let half = try #require(plan.first { $0.description == "create machine nodes-1" })
            #expect(half.details.first?.contains("10.117.93.17") == true)
        }
    }

    @Test("of a damaged record names the file and the remedy")
    func damaged() async throws {
        try await withTemporaryDirectory { root in
            let cloud = LocalCloud(root: root)
            let host = try cloud.host(of: "plan-test.example.com")
            try LocalFiles.makeDirectory(host.layout.machine("nodes-1"))
            try LocalFiles.write(Array("{".utf8), to: host.layout.record(ofMachine: "nodes-1"))
            let failure = await #expect(throws: Failure.self) { try await cloud.plan(desired()) }
            #expect(failure?.code == "local-record-damaged")
            #expect(failure?.hint != nil)
        }
    }

    @Test("refuses what cannot be")
    func refused() async throws {
        try await withTemporaryDirectory { root in
            let cloud = LocalCloud(root: root)
            func code(_ change: (inout DesiredCloud) -> Void) async -> String? {
                var cloudObjects = desired()
                change(&cloudObjects)
                do {
                    _ = try await cloud.plan(cloudObjects)
                    return nil
                } catch {
                    return (error as? Failure)?.code
                }
            }
            #expect(await code { $0.clusterName = "../x" } == "bad-name")
            #expect(await code { $0.machines[0].name = "a b" } == "bad-name")
            #expect(await code { $0.machines[0].name = "nodes-1" } == "duplicate-name")
            #expect(await code { $0.volumes.append($0.volumes[0]) } == "duplicate-name")
            #expect(await code { $0.volumes[0].name = "../../etc/passwd" } == "bad-name")
            #expect(await code { $0.volumes[0].size = 0 } == "bad-volume-size")
            #expect(await code { $0.networkCIDR = "10.0.0.0/8" } == "bad-network")
            #expect(await code { $0.networkCIDR = "127.0.0.0/16" } == "network-taken")
            #expect(await code { $0.fileRepository = "https://example.com" } == "base-missing")
        }
    }

    @Test("of a machine that is not there says which are")
    func unknownMachine() async throws {
        try await withTemporaryDirectory { root in
            let cloud = LocalCloud(root: root)
            let host = try cloud.host(of: "plan-test.example.com")
            try place("nodes-1", at: "10.117.93.10", complete: true, in: host)
            let failure = await #expect(throws: Failure.self) {
                try await cloud.console(of: "nodes-2", of: "plan-test.example.com")
            }
            #expect(failure?.code == "no-such-machine")
            #expect(failure?.hint?.contains("nodes-1") == true)
        }
    }

    @Test("of a volume knows the machine that has it, as long as that runs")
    func holder() async throws {
        try await withTemporaryDirectory { root in
            let host = try LocalCloud(root: root).host(of: "plan-test.example.com")
            for name in ["cp-1", "cp-2"] { try place(name, at: "10.117.93.10", complete: true, in: host) }
            let told = VolumeAnnouncement(
                volumes: [.init(name: "a.etcd-main", device: "/dev/loop7", size: 1 << 30, labels: [:])]
            )
            let path = host.layout.announcement("cp-1")
            try LocalFiles.makeDirectory(path.removingLastComponent())
            try LocalFiles.write(LocalJSON.encode(told), to: path)
            func holder(_ volume: String, besides machine: String, runs: Bool) throws -> String? {
                try host.reader.holder(of: volume, besides: machine) { _ in runs }
            }
            #expect(try holder("a.etcd-main", besides: "cp-2", runs: true) == "cp-1")
            #expect(try holder("a.etcd-main", besides: "cp-2", runs: false) == nil)
            #expect(try holder("a.etcd-main", besides: "cp-1", runs: true) == nil)
            #expect(try holder("b.etcd-main", besides: "cp-2", runs: true) == nil)
        }
    }

    private func place(_ name: String, at address: String, complete: Bool, in host: LocalHost) throws {
        let record = MachineRecord(
            name: name,
            instanceGroup: "g",
            role: .node,
            zone: "a",
            address: address,
            instanceID: "i-1",
            base: "/srv/base",
            store: nil,
            fileRepository: nil
        )
        try LocalFiles.makeDirectory(host.layout.machine(name))
        try LocalFiles.write(LocalJSON.encode(record), to: host.layout.record(ofMachine: name))
        try LocalFiles.makeDirectory(complete ? host.layout.files(name) : host.layout.unfinishedFiles(name))
    }
}

@Suite("A volume's task")
struct LocalVolumeTaskTests {
    private func task(size: Int = 1, labels: [String: String] = ["k": "v"]) throws -> LocalVolumeTask {
        try LocalVolumeTask(DesiredVolume(name: "a.etcd-main", zone: "a", size: size, labels: labels, machine: "cp-1"))
    }

    @Test("converges from nothing, from each crash between steps, and stays")
    func laws() async throws {
        let count = try task().plan(from: nil).count
        #expect(count == 2)
        for crash in 0...count {
            try await withTemporaryDirectory { root in
                let host = try LocalCloud(root: root).host(of: "a.example.com")
                for step in try task().plan(from: nil).prefix(crash) { try await task().apply(step, on: host) }
                try await LocalRunner.converge([task()], on: host) { _ in }
                let found = try await task().find(on: host.reader)
                #expect(try task().plan(from: found).isEmpty)
                #expect(found?.imageSize == 1 << 30)
            }
        }
    }

    @Test("grows, keeps what is in it, takes new labels, and never shrinks")
    func changes() async throws {
        try await withTemporaryDirectory { root in
            let host = try LocalCloud(root: root).host(of: "a.example.com")
            try await LocalRunner.converge([task()], on: host) { _ in }
            let image = host.layout.image(ofVolume: "a.etcd-main")
            try LocalFiles.overwrite(image, "precious")
            try await LocalRunner.converge([task(size: 2, labels: ["k": "w"])], on: host) { _ in }
            #expect(LocalFiles.size(of: image) == 2 << 30)
            let file = try FileDescriptor.open(image, .readOnly)
            let start = try file.closeAfter {
                try [UInt8](unsafeUninitializedCapacity: 8) { buffer, count in
                    count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
                }
            }
            #expect(String(decoding: start, as: UTF8.self) == "precious")
            #expect(try host.reader.volume("a.etcd-main")?.labels == ["k": "w"])
            let failure = await #expect(throws: Failure.self) {
                try await LocalRunner.converge([task(size: 1)], on: host) { _ in }
            }
            #expect(failure?.code == "volume-shrinks")
            #expect(LocalFiles.size(of: image) == 2 << 30)
        }
    }

    @Test(
        "lets a device that shows its image grow with it",
        .enabled(if: geteuid() == 0, "only root has loop devices")
    )
    func growingDevice() async throws {
        try await withTemporaryDirectory { root in
            let host = try LocalCloud(root: root).host(of: "a.example.com")
            try await LocalRunner.converge([task()], on: host) { _ in }
            let device = try await LoopDevice.attach(host.layout.image(ofVolume: "a.etcd-main"))
            do {
                try await LocalRunner.converge([task(size: 2)], on: host) { _ in }
                #expect(try await LiveNode().blockDevice(FilePath(device.path))?.size == 2 << 30)
            } catch {
                Issue.record(error)
            }
            try await device.detach()
        }
    }

    @Test("leaves an image alone that somebody replaced by another size")
    func replaced() async throws {
        try await withTemporaryDirectory { root in
            let host = try LocalCloud(root: root).host(of: "a.example.com")
            try await LocalRunner.converge([task()], on: host) { _ in }
            try LocalFiles.remove(host.layout.image(ofVolume: "a.etcd-main"))
            try LocalFiles.setSize(4096, of: host.layout.image(ofVolume: "a.etcd-main"))
            #expect(try await task().plan(from: task().find(on: host.reader)).isEmpty)
        }
    }
}

@Suite("A cluster's lock")
struct LocalLockTests {
    @Test("lets one in, tells the other, and leaves nothing")
    func exclusive() async throws {
        try await withTemporaryDirectory { root in
            try await LocalLock.hold(root) {
                let failure = await #expect(throws: Failure.self) { try await LocalLock.hold(root) {} }
                #expect(failure?.code == "cloud-busy")
            }
            try await LocalLock.hold(root) {}
            #expect(LocalFiles.list(root).isEmpty)
        }
    }
}

/// Runs `body` with a directory that is gone afterwards.
func withTemporaryDirectory(_ body: (FilePath) async throws -> Void) async throws {
    let directory = FilePath("/tmp/kopslite-clouds-\(String(UInt64.random(in: 0...UInt64.max), radix: 16))")
    try LocalFiles.makeDirectory(directory, mode: .ownerReadWriteExecute)
    do {
        try await body(directory)
    } catch {
        try await LocalRootFileSystem.remove(directory)
        throw error
    }
    try await LocalRootFileSystem.remove(directory)
}
