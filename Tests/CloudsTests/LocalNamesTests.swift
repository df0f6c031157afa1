// SPDX-License-Identifier: Apache-2.0
import NodeOS
import Testing

import struct KopsModel.IPv4CIDR

@testable import Clouds

@Suite("Names in the kernel")
struct LocalNamesTests {
    @Test("fit into an interface's 15 characters, and differ between clusters")
    func short() throws {
        var random = SeededGenerator(seed: 7)
        var bridges: Set<String> = []
        for _ in 0..<500 {
            let names = try LocalNames(clusterName: random.dnsName())
            #expect(names.bridge.utf8.count <= 15)
            let container = names.container(IPv4Address(UInt32.random(in: 0...UInt32.max, using: &random)))
            #expect(("vb-" + container).utf8.count <= 15)
            #expect(names.bridgeHardwareAddress.split(separator: ":").map(\.count) == [2, 2, 2, 2, 2, 2])
            bridges.insert(names.bridge)
        }
        #expect(bridges.count > 490)
    }

    @Test("are the same each time, and a machine's identity follows its instance")
    func stable() throws {
        let one = try LocalNames(clusterName: "a.example.com")
        #expect(try one == LocalNames(clusterName: "a.example.com"))
        #expect(one.machineID(instanceID: "i-1") == one.machineID(instanceID: "i-1"))
        #expect(one.machineID(instanceID: "i-1") != one.machineID(instanceID: "i-2"))
        #expect(one.machineID(instanceID: "i-1").count == 32)
    }

    @Test(
        "refuse what could leave the cluster's directory or its names",
        arguments: [
            "", ".", "..", "../x", "a/b", "-rf", "a b", "a\nb", "a\0b", "A", "é", ".a", "a.", "$(id)", "{{ADDRESS}}",
        ]
    )
    func hostile(name: String) {
        #expect(throws: Failure.self) { try LocalNames(clusterName: name) }
        #expect(throws: Failure.self) { try LocalNames.check(machine: name) }
        #expect(throws: Failure.self) { try LocalNames.check(volume: name) }
    }

    @Test("may be long, but not longer than a host name or a file's")
    func long() throws {
        try LocalNames.check(machine: String(repeating: "a", count: 63))
        #expect(throws: Failure.self) { try LocalNames.check(machine: String(repeating: "a", count: 64)) }
        #expect(throws: Failure.self) { try LocalNames(clusterName: String(repeating: "a", count: 254)) }
        #expect(throws: Failure.self) { try LocalNames.check(machine: "a.b") }
    }
}

@Suite("Addresses")
struct IPv4Tests {
    @Test("are printed as they were read")
    func roundTrip() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<1000 {
            let address = IPv4Address(UInt32.random(in: 0...UInt32.max, using: &random))
            #expect(IPv4Address(address.description) == address)
        }
    }

    @Test(
        "that are none are refused",
        arguments: ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.-4", "a.b.c.d", "1..2.3"]
    )
    func badAddress(text: String) { #expect(IPv4Address(text) == nil) }

    @Test(
        "of networks that machines cannot have are refused",
        arguments: [
            "", "10.0.0.0", "10.0.0.1/24", "10.0.0.0/15", "10.0.0.0/29", "10.0.0.0/a", "10.0.0.0/24/1", "fd00::/64",
        ]
    )
    func badNetwork(text: String) { #expect(throws: Failure.self) { try IPv4Subnet(text) } }

    @Test("are kept, never given twice, inside the network, and the same each time", arguments: 0..<50)
    func allocation(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let length = Int.random(in: 16...28, using: &random)
        let base = UInt32.random(in: 0...UInt32.max, using: &random) & ~(UInt32.max >> UInt32(length))
        let subnet = try IPv4Subnet("\(IPv4Address(base))/\(length)")
        var kept: [String: IPv4Address] = [:]
        for round in 0..<4 {
            let names = (0..<Int.random(in: 0...4, using: &random)).map { "m\(round)-\($0)" }
            guard kept.count + names.count <= subnet.machineAddresses.count else { break }
            let all = try subnet.allocate(names, keeping: kept)
            #expect(try all == subnet.allocate(names, keeping: kept))
            #expect(all.count == kept.count + names.count)
            #expect(Set(all.values).count == all.count)
            #expect(
                Set(all.values.map { $0.value & 0xFF }).count == all.count,
                "the last byte names objects on the host"
            )
            for (name, address) in kept { #expect(all[name] == address) }
            let reserved = IPv4CIDR(subnet.description)?.lastUsable?.description
            for address in all.values {
                #expect(address.description != reserved, "kept for the API servers")
                #expect(subnet.contains(address))
                #expect(address > subnet.gateway)
                #expect(address.value & (UInt32.max >> UInt32(length)) != UInt32.max >> UInt32(length), "broadcast")
            }
            kept = all.filter { _ in Bool.random(using: &random) }
        }
    }

    @Test("run out with an error that says so")
    func full() throws {
        let subnet = try IPv4Subnet("10.0.0.0/28")
        let names = subnet.machineAddresses.map { "m\($0)" }
        let all = try subnet.allocate(names, keeping: [:])
        #expect(throws: Failure.self) { try subnet.allocate(["more"], keeping: all) }
    }
}

/// Numbers that are the same in each run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }
    init(seed: Int) { state = UInt64(seed) }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func dnsName() -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return (0..<Int.random(in: 1...5, using: &self)).map { _ in
            String(
                (0..<Int.random(in: 1...20, using: &self)).map { _ in letters[Int.random(in: 0..<36, using: &self)] }
            )
        }.joined(separator: ".")
    }
}
