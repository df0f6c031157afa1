// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeTesting
import SystemPackage
import Testing

@testable import NodeOS

/// Messages of the kernel and of udev about block devices.
@Suite(.timeLimit(.minutes(1))) struct DeviceEventTests {
    static func message(_ head: String, _ values: [String]) -> [UInt8] {
        Array(([head] + values).map { $0 + "\0" }.joined().utf8)
    }

    /// As struct monitor_netlink_header lays it out, with values at byte 40.
    static func udev(_ values: [String]) -> [UInt8] {
        var header = Array("libudev\0".utf8) + [0xFE, 0xED, 0xCA, 0xFE]
        for number in [UInt32(40), 40] { withUnsafeBytes(of: number) { header += Array($0) } }
        header += [UInt8](repeating: 0, count: 40 - header.count)
        return header + Array(values.map { $0 + "\0" }.joined().utf8)
    }

    @Test func theKernelsMessageIsUnderstood() {
        let values = ["ACTION=add", "DEVPATH=/devices/x/block/nvme1n1", "SUBSYSTEM=block", "DEVNAME=nvme1n1"]
        let event = DeviceEvent(message: Self.message("add@/devices/x/block/nvme1n1", values))
        #expect(event == DeviceEvent(.changed, device: "nvme1n1"))
        let removed = ["ACTION=remove", "SUBSYSTEM=block", "DEVNAME=sdb"]
        #expect(DeviceEvent(message: Self.message("remove@/x", removed)) == DeviceEvent(.gone, device: "sdb"))
        let resized = ["ACTION=change", "SUBSYSTEM=block", "RESIZE=1", "DEVNAME=sdb"]
        #expect(DeviceEvent(message: Self.message("change@/x", resized)) == DeviceEvent(.resized, device: "sdb"))
    }

    @Test func udevsMessageIsUnderstood() {
        let values = ["ACTION=add", "SUBSYSTEM=block", "DEVNAME=/dev/vdb"]
        #expect(DeviceEvent(message: Self.udev(values)) == DeviceEvent(.changed, device: "vdb"))
    }

    @Test func whatIsOfNoBlockDeviceIsPassedOver() {
        #expect(DeviceEvent(message: Self.message("add@/x", ["ACTION=add", "SUBSYSTEM=net"])) == nil)
        #expect(DeviceEvent(message: Self.message("add@/x", ["SUBSYSTEM=block"])) == nil)
    }

    @Test(arguments: Seeded.seeds(300)) func anythingElseIsNoEventAndNoCrash(seed: UInt64) {
        var random = Seeded(seed)
        var bytes = Self.udev(["ACTION=add", "SUBSYSTEM=block"])
        if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
        for _ in 0..<Int.random(in: 0...8, using: &random) where !bytes.isEmpty {
            bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
        }
        _ = DeviceEvent(message: bytes)
    }

    @Test(.enabled(if: geteuid() == 0, "only root has loop devices"))
    func aLoopDeviceIsHeardOfWhenItComesAndWhenItGrows() async throws {
        try await FaultBench.using { bench in
            let image = try await bench.image(4 << 20)
            let events = try KernelDeviceEvents().events()
            try await bench.withLoop(image) { device in
                let name = String(device.dropFirst("/dev/".count))
                try await SubprocessRunner().run(Command("truncate", ["--size=8388608", image.string]))
                try await SubprocessRunner().run(Command("losetup", ["--set-capacity", device]))
                var heard: [DeviceEvent.Kind] = []
                for await event in events where event.device == name {
                    heard.append(event.kind)
                    if event.kind == .resized { break }
                }
                #expect(heard.first == .changed)
            }
        }
    }

    @Test func anAnnouncementIsHeardOf() async throws {
        try await withTemporaryDirectory { directory in
            let events = try KernelDeviceEvents(directory: directory).events()
            let file = directory.appending("volumes.json")
            try await LiveNode().write([0x7B, 0x7D], to: file, attributes: FileAttributes())
            for await event in events where event == DeviceEvent(.changed) { break }
        }
    }
}
