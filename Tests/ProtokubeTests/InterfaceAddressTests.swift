// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import Synchronization
import Testing

@testable import Protokube

@Suite struct InterfaceAddressTests {
    @Test("messages to the kernel are as rtnetlink(7) has them")
    func messages() throws {
        let address = try IPv4Bytes("10.64.0.254")
        let add = RouteMessage.add(address, interface: 7, seconds: 6).bytes
        #expect(add.count == 60)
        #expect(Array(add[0..<8]) == UInt32(60).native + UInt16(20).native + UInt16(0x505).native)
        #expect(Array(add[16..<24]) == [2, 32, 0, 0] + UInt32(7).native)
        #expect(Array(add[24..<40]) == [8, 0, 1, 0, 10, 64, 0, 254, 8, 0, 2, 0, 10, 64, 0, 254])
        #expect(Array(add[40..<52]) == [20, 0, 6, 0, 6, 0, 0, 0, 6, 0, 0, 0])
        #expect(RouteMessage.remove(address, interface: 7).bytes.count == 40)
    }

    @Test("an announcement is an Ethernet frame of RFC 826")
    func frame() throws {
        let hardware: [UInt8] = [2, 0, 0, 0, 0, 9]
        let frame = ARPAnnouncement(address: try IPv4Bytes("10.64.0.254"), hardware: hardware).frame
        #expect(Array(frame[0..<14]) == [255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 9, 8, 6])
        #expect(Array(frame[14..<22]) == [0, 1, 8, 0, 6, 4, 0, 1])
        #expect(Array(frame[22...]) == hardware + [10, 64, 0, 254, 0, 0, 0, 0, 0, 0, 10, 64, 0, 254])
    }

    @Test("what is no address is refused", arguments: ["", "10.0.0", "10.0.0.256", "10.0.0.1 ", "010.0.0.1", "::1"])
    func badAddress(text: String) { #expect(throws: Failure.self) { try IPv4Bytes(text) } }
}

/// The kernel's own word, in a network namespace of a thread of its own.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root has network namespaces"), .timeLimit(.minutes(1)))
struct RealInterfaceAddressTests {
    /// Two interfaces that are joined, one with an address.
    private static func onWire(_ body: @escaping @Sendable () throws -> Void) async throws {
        let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
            NamespaceThread.run {
                continuation.resume(
                    returning: Result {
                        guard NamespaceThread.leaveNetwork() else { throw Failure.network("no network namespace") }
                        let commands =
                            "ip link add left type veth peer name right && ip address add 10.9.0.10/24 dev left"
                            + " && ip link set left up && ip link set right up"
                        guard system(commands) == 0 else { throw Failure.network("no interfaces") }
                        try body()
                    }
                )
            }
        }
        try result.get()
    }

    private static func addresses() throws -> [String] {
        try NetworkInterface.all().flatMap(\.addresses).map(\.description).sorted()
    }

    @Test("it is added, kept, and dropped, and dropping what is not there is no failure")
    func holds() async throws {
        try await Self.onWire {
            let link = try InterfaceAddress("10.9.0.254", besides: "10.9.0.10")
            try link.drop()
            try link.hold(seconds: 6)
            try link.hold(seconds: 6)
            #expect(try Self.addresses() == ["10.9.0.10", "10.9.0.254"])
            try link.drop()
            try link.drop()
            #expect(try Self.addresses() == ["10.9.0.10"])
        }
    }

    @Test("the kernel ends it when nobody renews it")
    func expires() async throws {
        try await Self.onWire {
            let link = try InterfaceAddress("10.9.0.254", besides: "10.9.0.10")
            try link.hold(seconds: 1)
            let start = ContinuousClock.now
            while try Self.addresses().count > 1, start.duration(to: .now) < .seconds(5) { usleep(20_000) }
            #expect(try Self.addresses() == ["10.9.0.10"])
            #expect(start.duration(to: .now) < .seconds(2.5), "a second late at most")
        }
    }

    @Test("neighbours hear of it")
    func announces() async throws {
        try await Self.onWire {
            let all = UInt16(0x0003).bigEndian
            let listener = socket(AF_PACKET, Int32(SOCK_RAW.rawValue), Int32(all))
            defer { close(listener) }
            let link = try InterfaceAddress("10.9.0.254", besides: "10.9.0.10")
            try link.hold(seconds: 6)
            let hardware = try #require(try NetworkInterface.all().first { $0.name == "left" }).hardware
            let wanted = ARPAnnouncement(address: link.address, hardware: hardware).frame
            var bytes = [UInt8](repeating: 0, count: 2048)
            var isHeard = false
            // An interface that has just come up may swallow the first.
            for _ in 0..<300 where !isHeard {
                try link.announce()
                let count = recv(listener, &bytes, bytes.count, Int32(MSG_DONTWAIT))
                isHeard = count >= wanted.count && Array(bytes[..<wanted.count]) == wanted
                if count < 0 { usleep(10_000) }
            }
            #expect(isHeard)
        }
    }

    @Test("a machine without its own address says so")
    func noOwnAddress() async throws {
        try await Self.onWire {
            let link = try InterfaceAddress("10.9.0.254", besides: "10.9.0.99")
            let failure = #expect(throws: Failure.self) { try link.hold(seconds: 6) }
            #expect(failure?.code == "own-address-missing")
        }
    }
}

/// A thread that ends with what it runs, and with it the namespaces it moved to.
private enum NamespaceThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Moves this thread to a network of its own; unshare(2), which the module of the C library leaves out.
    static func leaveNetwork() -> Bool {
        typealias Unshare = @convention(c) (Int32) -> Int32
        guard let symbol = dlsym(nil, "unshare") else { return false }
        let newNetwork: Int32 = 0x4000_0000
        return unsafeBitCast(symbol, to: Unshare.self)(newNetwork) == 0
    }

    static func run(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Body(run: body)).toOpaque()
        let number = pthread_create(
            &thread,
            nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            },
            argument
        )
        precondition(number == 0, "no thread: errno \(number)")
        pthread_detach(thread)
    }
}
