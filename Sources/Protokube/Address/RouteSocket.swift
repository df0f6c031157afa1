// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS

/// The kernel's table of addresses (rtnetlink(7)).
struct RouteSocket {
    /// Sends one message and waits for what the kernel says to it.
    ///
    /// - Throws: ``Failure`` with errno(3) as the kernel reports it.
    func send(_ message: RouteMessage) throws {
        let descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure.network("the kernel's table of addresses could not be opened") }
        defer { close(descriptor) }
        // sockaddr_nl: family, padding, the kernel's port 0, no groups.
        var kernel = [UInt8](repeating: 0, count: 12)
        kernel.replaceSubrange(0..<2, with: UInt16(AF_NETLINK).native)
        try RawDatagram(message.bytes, to: kernel).send(on: descriptor, message.attempt)

        var answer = [UInt8](repeating: 0, count: 4096)
        // It was given while the message was taken.
        let count = recv(descriptor, &answer, answer.count, Int32(MSG_DONTWAIT))
        guard count >= 20 else { throw Failure.network("\(message.attempt): the kernel gave no answer") }
        let number = answer[16..<20].withUnsafeBytes { -$0.loadUnaligned(as: Int32.self) }
        guard number == 0 || message.forgives.contains(number) else { throw Failure.network(message.attempt, number) }
    }
}

/// A message about an address of an interface.
struct RouteMessage: Equatable {
    let bytes: [UInt8]
    /// What it is to do, for the error.
    let attempt: String
    /// Errors that say that it is so already.
    var forgives: [Int32] = []

    /// Adds an address for so many seconds; one that is there gets as many anew.
    static func add(_ address: IPv4Bytes, interface: UInt32, seconds: UInt32) -> RouteMessage {
        // ifa_cacheinfo: preferred and valid for so many seconds, and two times that the kernel fills in.
        let lifetime = seconds.native + seconds.native + UInt32(0).native + UInt32(0).native
        return RouteMessage(
            // RTM_NEWADDR with NLM_F_REQUEST, NLM_F_ACK, NLM_F_REPLACE and NLM_F_CREATE.
            bytes: bytes(type: 20, flags: 0x505, address, interface: interface, [(type: 6, value: lifetime)]),
            attempt: "\(address) could not be added to interface \(interface)"
        )
    }

    /// Removes an address.
    static func remove(_ address: IPv4Bytes, interface: UInt32) -> RouteMessage {
        RouteMessage(
            // RTM_DELADDR with NLM_F_REQUEST and NLM_F_ACK.
            bytes: bytes(type: 21, flags: 0x5, address, interface: interface, []),
            attempt: "\(address) could not be removed from interface \(interface)",
            forgives: [EADDRNOTAVAIL]
        )
    }

    private static func bytes(
        type: UInt16,
        flags: UInt16,
        _ address: IPv4Bytes,
        interface: UInt32,
        _ more: [(type: UInt16, value: [UInt8])]
    ) -> [UInt8] {
        // ifaddrmsg: family, prefix length 32, flags, scope global, interface.
        var body = [UInt8(AF_INET), 32, 0, 0] + interface.native
        // IFA_ADDRESS and IFA_LOCAL, which are the same where there is no peer; all values are multiples of four bytes.
        for attribute in [(type: UInt16(1), value: address.bytes), (2, address.bytes)] + more {
            body += UInt16(4 + attribute.value.count).native + attribute.type.native + attribute.value
        }
        // nlmsghdr: length, type, flags, sequence number, port.
        return UInt32(16 + body.count).native + type.native + flags.native + UInt32(1).native + UInt32(0).native + body
    }
}

/// Bytes for a raw socket, with the address they go to.
struct RawDatagram {
    private let bytes: [UInt8]
    private let target: [UInt8]

    init(_ bytes: [UInt8], to target: [UInt8]) {
        self.bytes = bytes
        self.target = target
    }

    func send(on descriptor: Int32, _ attempt: String) throws {
        let sent = target.withUnsafeBytes { target in
            sendto(
                descriptor,
                bytes,
                bytes.count,
                0,
                target.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(target.count)
            )
        }
        guard sent == bytes.count else { throw Failure.network(attempt) }
    }
}

extension FixedWidthInteger {
    /// The bytes as this machine keeps them.
    var native: [UInt8] { withUnsafeBytes(of: self) { Array($0) } }
}
