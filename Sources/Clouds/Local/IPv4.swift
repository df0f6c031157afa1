// SPDX-License-Identifier: Apache-2.0
import NodeOS

/// An IPv4 address as a number, host byte order.
struct IPv4Address: Hashable, Comparable, Sendable, CustomStringConvertible {
    let value: UInt32

    init(_ value: UInt32) { self.value = value }

    /// Four decimal numbers without leading zeros (RFC 3986, section 3.2.2).
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard let byte = UInt8(part), String(byte) == part else { return nil }
            value = value << 8 | UInt32(byte)
        }
        self.value = value
    }

    var description: String {
        stride(from: 24, through: 0, by: -8).map { String(value >> UInt32($0) & 0xFF) }.joined(separator: ".")
    }

    static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// The machines' own network.
///
/// Host number 1 is the host, 10 and above are machines; the last is kept for the API servers, whichever machine has it.
struct IPv4Subnet: Hashable, Sendable, CustomStringConvertible {
    let base: IPv4Address
    let length: Int

    /// - Throws: ``Failure`` `bad-network` unless the text is `address/16…28` with the host part zero.
    init(_ text: String) throws {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let base = IPv4Address(parts[0]), let length = Int(parts[1]),
            (16...28).contains(length),
            base.value & (UInt32.max >> UInt32(length)) == 0
        else {
            throw Failure(
                .permanent,
                code: "bad-network",
                "the local cloud cannot use \"\(text.printable)\" as machine network",
                hint: "set networkCIDR to an IPv4 network with 16 to 28 fixed bits, such as 10.3.0.0/24"
            )
        }
        self.base = base
        self.length = length
    }

    /// The first address that is no machine's: the host's, and the machines' way out.
    var gateway: IPv4Address { IPv4Address(base.value + 1) }
    /// What machines may get.
    ///
    /// The last byte names a machine's objects on the host, so a wide network offers no more.
    var machineAddresses: ClosedRange<UInt32> {
        base.value + 10...base.value + min(254, UInt32.max >> UInt32(length) - 2)
    }

    var description: String { "\(base)/\(length)" }

    func contains(_ address: IPv4Address) -> Bool {
        address.value >> UInt32(32 - length) == base.value >> UInt32(32 - length)
    }

    /// Gives each machine without an address the lowest free one, in the order of `names`; others keep theirs.
    ///
    /// - Throws: ``Failure`` `network-full`.
    func allocate(_ names: [String], keeping taken: [String: IPv4Address]) throws -> [String: IPv4Address] {
        var result = taken
        var used = Set(taken.values)
        for name in names where result[name] == nil {
            guard let free = machineAddresses.lazy.map(IPv4Address.init).first(where: { !used.contains($0) }) else {
                throw Failure(
                    .permanent,
                    code: "network-full",
                    "no address is left in \(self) for machine \(name): \(used.count) are in use",
                    hint:
                        "create the cluster with a wider networkCIDR, of which the local cloud uses 245 addresses at most"
                )
            }
            used.insert(free)
            result[name] = free
        }
        return result
    }
}
