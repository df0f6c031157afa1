// SPDX-License-Identifier: Apache-2.0

/// An IPv4 network, such as `100.64.0.0/10`.
public struct IPv4CIDR: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The network's first address.
    public let base: IPv4Address
    /// How many leading bits are fixed, 0 to 32.
    public let prefix: Int

    /// The network of a prefix length that an address lies in; a length outside 0 to 32 is brought inside.
    public init(containing address: IPv4Address, prefix: Int) {
        let prefix = min(32, max(0, prefix))
        self.prefix = prefix
        self.base = IPv4Address(number: address.number & Self.mask(prefix))
    }

    /// Reads `a.b.c.d/n` in canonical form, no bit set behind the prefix; `nil` for anything else.
    public init?(_ text: String) {
        guard let network = Self(loose: text), network.description == text else { return nil }
        self = network
    }

    /// Reads `a.b.c.d/n` and clears the bits behind the prefix.
    public init?(loose text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(String(parts[0])), let prefix = Int(parts[1]),
            (0...32).contains(prefix)
        else { return nil }
        self.init(containing: address, prefix: prefix)
    }

    /// `a.b.c.d/n`.
    public var description: String { "\(base)/\(prefix)" }

    /// How many addresses it has.
    public var count: UInt64 { 1 << UInt64(32 - prefix) }

    /// The network's last address.
    public var last: IPv4Address { IPv4Address(number: base.number | ~Self.mask(prefix)) }

    /// The last address a host can have, before the broadcast address; `nil` in a network of less than four addresses.
    public var lastUsable: IPv4Address? { prefix <= 30 ? IPv4Address(number: last.number - 1) : nil }

    /// An address counted from the base; `nil` outside the network.
    public func address(at offset: Int) -> IPv4Address? {
        guard offset >= 0, UInt64(offset) < count else { return nil }
        return IPv4Address(number: base.number + UInt32(offset))
    }

    /// Whether an address lies inside.
    public func contains(_ address: IPv4Address) -> Bool { address.number & Self.mask(prefix) == base.number }

    /// Whether another network lies inside as a whole; a network contains itself.
    public func contains(_ other: Self) -> Bool { prefix <= other.prefix && contains(other.base) }

    /// Whether some address lies in both.
    public func overlaps(_ other: Self) -> Bool { contains(other) || other.contains(self) }

    /// One of the networks made by lengthening the prefix by some bits, counted from the lowest; `nil` when there is
    /// no such network.
    public func subnet(addingBits bits: Int, number: Int) -> Self? {
        let length = prefix + bits
        guard bits >= 0, length <= 32, number >= 0, UInt64(number) < UInt64(1) << UInt64(bits) else { return nil }
        let offset = UInt64(number) << UInt64(32 - length)
        return Self(containing: IPv4Address(number: base.number + UInt32(offset)), prefix: length)
    }

    /// By base, then by prefix.
    public static func < (left: Self, right: Self) -> Bool { (left.base, left.prefix) < (right.base, right.prefix) }

    private static func mask(_ prefix: Int) -> UInt32 { prefix == 0 ? 0 : ~0 << UInt32(32 - prefix) }
}

extension IPv4CIDR: SpecText {
    static var shape: String { "an IPv4 network such as 10.0.0.0/8" }

    static func decoded(from value: JSONValue, at path: SpecPath, into problems: inout [SpecProblem]) -> Self? {
        guard let text = String.decoded(from: value, at: path, into: &problems) else { return nil }
        if let network = Self(text) { return network }
        if let network = Self(loose: text) {
            problems.append(SpecProblem(path, "\(text) has bits set behind its prefix", remedy: "write \(network)"))
        } else {
            problems.append(SpecProblem(path, "\"\(text)\" is not \(shape)"))
        }
        return nil
    }
}
