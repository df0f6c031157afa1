// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS

/// Tells every neighbour which hardware address an address has now.
///
/// - Source: RFC 5227, section 2.3: a request of the address for itself, which those who know it take note of.
struct ARPAnnouncement: Equatable {
    let address: IPv4Bytes
    let hardware: [UInt8]

    private static let protocolNumber: UInt16 = 0x0806
    private static let everybody = [UInt8](repeating: 0xFF, count: 6)

    /// The Ethernet frame (RFC 826).
    var frame: [UInt8] {
        // Ethernet, IPv4, the lengths of their addresses, a request.
        let header: [UInt8] = [0, 1, 0x08, 0, 6, 4, 0, 1]
        let nobody = [UInt8](repeating: 0, count: 6)
        return Self.everybody + hardware + Self.protocolNumber.bigEndian.native
            + header + hardware + address.bytes + nobody + address.bytes
    }

    func send(on interface: UInt32) throws {
        let attempt = "\(address) could not be announced on interface \(interface)"
        // No protocol: this socket is to hear nothing.
        let descriptor = socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure.network(attempt) }
        defer { close(descriptor) }
        // sockaddr_ll: family, protocol, interface, what only matters on receipt, the target's hardware address.
        let target =
            UInt16(AF_PACKET).native + Self.protocolNumber.bigEndian.native + interface.native + [0, 0, 0, 6]
            + Self.everybody + [0, 0]
        try RawDatagram(frame, to: target).send(on: descriptor, attempt)
    }
}
