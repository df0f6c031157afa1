// SPDX-License-Identifier: Apache-2.0

/// Where an etcd member is reached, such as `https://10.0.0.2:2380`.
public struct EtcdURL: Sendable, Hashable, CustomStringConvertible {
    /// Whether certificates are shown and asked for.
    public let isSecure: Bool
    /// A name, an IPv4 address, or an IPv6 address in brackets.
    public let host: String
    /// The TCP port.
    public let port: Int

    /// Reads `http://host:port` or `https://host:port`; `nil` for anything else.
    public init?(_ text: String) {
        let secure = text.hasPrefix("https://")
        guard secure || text.hasPrefix("http://") else { return nil }
        let authority = text.dropFirst(secure ? 8 : 7)
        guard let colon = authority.lastIndex(of: ":"), let port = Int(authority[authority.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        let host = String(authority[..<colon])
        guard host.utf8.allSatisfy(Self.isHostByte), !host.isEmpty, host.hasPrefix("[") == host.hasSuffix("]"),
            host.hasPrefix("[") || !host.contains(":")
        else { return nil }
        (isSecure, self.host, self.port) = (secure, host, port)
    }

    /// `scheme://host:port`.
    public var description: String { "\(isSecure ? "https" : "http")://\(host):\(port)" }

    /// Whether only this machine's own programs reach it.
    public var isLoopback: Bool {
        host == "localhost" || host == "[::1]" || (IPv4Address(host) != nil && host.hasPrefix("127."))
    }

    /// Where a member listens that is reached here: etcd takes addresses only, so behind a name it listens on all of them.
    public var listening: String {
        let isAddress = host == "localhost" || host.hasPrefix("[") || IPv4Address(host) != nil
        return isAddress ? description : "\(isSecure ? "https" : "http")://0.0.0.0:\(port)"
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        (0x30...0x3A).contains(byte) || (0x41...0x5B).contains(byte) || (0x61...0x7A).contains(byte)
            || [0x2D, 0x2E, 0x5D].contains(byte)
    }
}

extension EtcdURL: SpecText {
    static var shape: String { "http://host:port or https://host:port" }
}
