// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import NodeOS

@Suite struct KernelTests {
    @Test func settingsAreReadAndWritten() async throws {
        let node = LiveNode()
        #expect(try await node.sysctl("kernel.ostype") == "Linux")
        #expect(try await node.sysctl("kernel/ostype") == "Linux")
        #expect(try await node.sysctl("no.such.setting") == nil)
        let range = try #require(try await node.sysctl("net.ipv4.ip_local_port_range"))
        #expect(range.split(separator: " ").count == 2 && !range.contains("\t"))
        // Written as it is, so that nothing changes for the machine.
        try await node.setSysctl("net.ipv4.ip_local_port_range", to: range)
        #expect(try await node.sysctl("net.ipv4.ip_local_port_range") == range)
        #expect(await code { try await node.setSysctl("no.such.setting", to: "1") } == "not-found")
    }

    @Test(arguments: ["", ".", "a..b", "net.ipv4.", "/etc/passwd", "net/../../etc/x", "../etc"])
    func keysThatAreNoneAreRefused(_ key: String) async {
        #expect(await code { _ = try await LiveNode().sysctl(key) } == "sysctl-key-invalid")
    }

    @Test func aSlashMakesDotsPartOfNames() throws {
        #expect(try Sysctls.path(of: "net/ipv4/conf/eth0.1/forwarding") == "/proc/sys/net/ipv4/conf/eth0.1/forwarding")
        #expect(try Sysctls.path(of: "net.ipv4.conf.eth0/1.forwarding") == "/proc/sys/net/ipv4/conf/eth0.1/forwarding")
    }

    @Test func modulesAreFoundByEitherSpelling() async throws {
        #expect(KernelModules.loaded(in: "br_netfilter 1 0 - Live 0x0\nbridge 2\n\n") == ["br_netfilter", "bridge"])
        #expect(
            KernelModules.builtIn(in: "kernel/net/br-netfilter.ko\nkernel/fs/fuse/fuse.ko.xz\n") == [
                "br_netfilter", "fuse",
            ]
        )
        let node = LiveNode()
        let built = try await node.list("/sys/module")
        let name = try #require(built.first { $0.contains("_") })
        #expect(try await node.hasKernelModule(name))
        #expect(try await node.hasKernelModule(String(name.map { $0 == "_" ? "-" : $0 })))
        #expect(try await !node.hasKernelModule("no_such_module"))
        for bad in ["", "../x", "a/b", "-a", "a b"] {
            #expect(await code { _ = try await node.hasKernelModule(bad) } == "module-name-invalid")
            #expect(await code { try await node.loadKernelModule(bad) } == "module-name-invalid")
        }
    }

    @Test func theBootHasAnIdentifier() async throws {
        let id = try await LiveNode().bootID()
        #expect(id.count == 36)
        #expect(try await LiveNode().bootID() == id)
    }
}
