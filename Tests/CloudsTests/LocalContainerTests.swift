// SPDX-License-Identifier: Apache-2.0
import KopsModel
import SystemPackage
import Testing

@testable import Clouds

@Suite("What a machine sees of the host")
struct LocalContainerTests {
    private func container(
        _ role: InstanceRole,
        store: String? = "/srv/store",
        repository: String? = "/srv/files"
    ) throws
        -> LocalContainer
    {
        LocalContainer(
            names: try LocalNames(clusterName: "a.example.com"),
            record: MachineRecord(
                name: "m-1",
                instanceGroup: "g",
                role: role,
                zone: "z",
                address: "10.3.0.10",
                instanceID: "i-1",
                base: "/srv/base",
                store: store,
                fileRepository: repository
            ),
            address: IPv4Address(0x0A03_000A),
            rootFileSystem: "/srv/root"
        )
    }

    @Test("is its own cluster read-only, and to write its own status alone")
    func worker() throws {
        let access = try #require(container(.node).storeAccess)
        #expect(access.readOnly == "/srv/store/a.example.com")
        #expect(access.readWrite == ["/srv/store/a.example.com/status/m-1"])
        #expect(
            access.inaccessible == [
                "/srv/store/a.example.com/private/admin", "/srv/store/a.example.com/private/control-plane",
            ]
        )
    }

    @Test("is more on a control-plane machine, but not what is the operators'")
    func controlPlane() throws {
        let access = try #require(container(.controlPlane).storeAccess)
        #expect(
            access.readWrite == [
                "/srv/store/a.example.com/status/m-1", "/srv/store/a.example.com/discovery",
                "/srv/store/a.example.com/etcd",
            ]
        )
        #expect(access.inaccessible == ["/srv/store/a.example.com/private/admin"])
    }

    @Test("is nothing when store and repository are reached over the network")
    func remote() throws {
        let container = try container(.node, store: nil, repository: nil)
        #expect(container.storeAccess == nil)
        #expect(!container.arguments.contains { $0.hasPrefix("--bind-ro") || $0.hasPrefix("--tmpfs") })
        for location in ["s3://bucket/x", "https://example.com/x", "relative/x", ""] {
            #expect(LocalCloud.directory(location) == nil)
        }
    }

    @Test("is the file repository at its own path and at the one all machines share")
    func repository() throws {
        let arguments = try container(.node).arguments
        #expect(arguments.contains("--bind-ro=/srv/files"))
        #expect(arguments.contains("--bind-ro=/srv/files:/opt/kopslite/assets"))
        let shared = try container(.node, repository: "/opt/kopslite/assets").arguments
        #expect(shared.filter { $0.contains("/opt/kopslite/assets") } == ["--bind-ro=/opt/kopslite/assets"])
    }

    @Test("is named so that no path can be read as two")
    func escaping() throws {
        #expect(LocalContainer.escaped("/a:b/c\\d") == "/a\\:b/c\\\\d")
        #expect(try container(.node, repository: "/a:b").arguments.contains("--bind-ro=/a\\:b:/opt/kopslite/assets"))
        #expect(LocalCloud.directory("file:///a/../b//c/") == "/b/c")
    }
}

@Suite("The packet filter")
struct LocalFirewallTests {
    @Test("loses the cluster's rules and no others")
    func deletions() throws {
        let names = try LocalNames(clusterName: "a.example.com")
        let other = try LocalNames(clusterName: "b.example.com")
        let subnet = try IPv4Subnet("10.3.0.0/24")
        func listing(_ names: LocalNames, quote: String) -> String {
            LocalFirewall.rules(names, subnet).map { rule in
                "-A \(rule.chain) "
                    + rule.specification.map { $0 == names.tag ? quote + $0 + quote : $0 }.joined(separator: " ")
            }.joined(separator: "\n")
        }
        let foreign = "-P FORWARD DROP\n-N KUBE\n-A FORWARD -m comment --comment kopslite -j DROP\n-A FORWARD -j KUBE"
        for quote in ["", "\""] {
            let text = [listing(names, quote: quote), foreign, listing(other, quote: quote)].joined(separator: "\n")
            let found = LocalFirewall.deletions(of: names.tag, in: text, table: "nat")
            #expect(
                found.map(\.arguments)
                    == LocalFirewall.rules(names, subnet).map {
                        ["iptables", "-w", "-t", "nat", "-D", $0.chain] + $0.specification
                    }
            )
        }
    }
}

@Suite("Loop devices")
struct LoopDeviceTests {
    @Test("are read from losetup of any age, and none from nothing")
    func parse() throws {
        let text = """
            {"loopdevices": [
               {"name":"/dev/loop0", "back-ino":16253992, "back-maj:min":"     254:0  ", "back-file":"/root/x.img"},
               {"name":"/dev/loop1", "back-ino":"7", "back-maj:min":"8:1", "back-file":"/b"}
            ]}
            """
        let devices = try LoopDevice.parse(text)
        #expect(devices.map(\.path) == ["/dev/loop0", "/dev/loop1"])
        #expect(devices.map(\.inode) == [16_253_992, 7])
        #expect(devices.map(\.deviceNumbers) == ["254:0", "8:1"])
        #expect(try LoopDevice.parse("").isEmpty)
        #expect(try LoopDevice.parse("\n").isEmpty)
    }

    @Test("are told apart by file, not by path")
    func identity() {
        let device = LoopDevice(path: "/dev/loop0", inode: 7, deviceNumbers: "254:0", backingFile: "/x")
        #expect(device.shows(.init(device: 65024, inode: 7)))
        #expect(!device.shows(.init(device: 65024, inode: 8)))
        #expect(!device.shows(.init(device: 65025, inode: 7)))
    }
}
