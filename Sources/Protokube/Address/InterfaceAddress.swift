// SPDX-License-Identifier: Apache-2.0
import Glibc
import NodeOS
import SystemPackage

/// An address that is added to the interface which has the machine's own address, by the kernel's own means: an agent on
/// a bare machine has no other programs to rely on.
struct InterfaceAddress: AddressLink {
    let address: IPv4Bytes
    /// The machine's own address.
    let own: IPv4Bytes

    /// - Throws: ``Failure`` `bad-address` when a text is no IPv4 address.
    init(_ address: String, besides own: String) throws {
        self.address = try IPv4Bytes(address)
        self.own = try IPv4Bytes(own)
    }

    func hold(seconds: Int) throws {
        try RouteSocket().send(.add(address, interface: try interface().index, seconds: UInt32(seconds)))
    }

    func drop() throws {
        // Whichever interface it was added to: the machine's own address may have moved since.
        for interface in try NetworkInterface.all() where interface.addresses.contains(address) {
            try RouteSocket().send(.remove(address, interface: interface.index))
        }
    }

    func announce() throws {
        let interface = try interface()
        try ARPAnnouncement(address: address, hardware: interface.hardware).send(on: interface.index)
    }

    private func interface() throws -> NetworkInterface {
        if let found = try NetworkInterface.all().first(where: { $0.addresses.contains(own) }) { return found }
        throw Failure(
            .transient,
            code: "own-address-missing",
            "no interface of this machine has its own address \(own), beside which \(address) belongs",
            hint: "ip address show"
        )
    }
}

/// The four bytes of an IPv4 address, in the order in which they are sent.
struct IPv4Bytes: Sendable, Hashable, CustomStringConvertible {
    let bytes: [UInt8]

    /// - Throws: ``Failure`` `bad-address`.
    init(_ text: String) throws {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).compactMap { UInt8($0) }
        guard parts.count == 4, parts.map(String.init).joined(separator: ".") == text else {
            throw Failure(.permanent, code: "bad-address", "\"\(text)\" is no IPv4 address")
        }
        bytes = parts
    }

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var description: String { bytes.map(String.init).joined(separator: ".") }
}

/// An interface with what is known of it.
struct NetworkInterface: Sendable, Equatable {
    var name: String
    var index: UInt32
    var addresses: [IPv4Bytes] = []
    /// Its hardware address; all zero where it has none.
    var hardware = [UInt8](repeating: 0, count: 6)

    /// All interfaces with their IPv4 addresses.
    static func all() throws -> [NetworkInterface] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { throw Failure.network("this machine's interfaces could not be listed") }
        defer { freeifaddrs(first) }
        var found: [String: NetworkInterface] = [:]
        for entry in sequence(first: first, next: { $0?.pointee.ifa_next }) {
            guard let entry = entry?.pointee, let address = entry.ifa_addr else { continue }
            let name = String(cString: entry.ifa_name)
            var interface = found[name] ?? NetworkInterface(name: name, index: if_nametoindex(name))
            let raw = UnsafeRawPointer(address)
            switch Int32(address.pointee.sa_family) {
            case AF_INET:
                interface.addresses.append(IPv4Bytes((4..<8).map { raw.load(fromByteOffset: $0, as: UInt8.self) }))
            // packet(7), sockaddr_ll: the length of the hardware address at 11, the address from 12 on.
            case AF_PACKET where raw.load(fromByteOffset: 11, as: UInt8.self) == 6:
                interface.hardware = (12..<18).map { raw.load(fromByteOffset: $0, as: UInt8.self) }
            default: break
            }
            found[name] = interface
        }
        return found.values.sorted { $0.index < $1.index }
    }
}

extension Failure {
    /// What a call of the network refused, errno(3) being the cause.
    static func network(_ message: String, _ number: Int32 = errno) -> Failure {
        let isForbidden = number == EPERM || number == EACCES
        return Failure(
            isForbidden ? .permanent : .transient,
            code: isForbidden ? "permission-denied" : "network-error",
            message,
            hint: isForbidden ? "run nodeup: protokube's unit gives CAP_NET_ADMIN and CAP_NET_RAW" : nil,
            cause: Errno(rawValue: number)
        )
    }
}
