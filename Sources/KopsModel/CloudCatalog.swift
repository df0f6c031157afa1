// SPDX-License-Identifier: Apache-2.0

/// The clouds a specification may name, with what is known of each before asking it.
public struct CloudCatalog: Sendable, Equatable {
    /// The name used in specifications.
    public let name: String
    /// The names of its zones.
    public let zones: [String]
    /// The machines' network of a cluster that names none.
    public let networkCIDR: IPv4CIDR
    /// Whether all machines hear each other's ARP, so that an address can move from one to another.
    public let sharesSegment: Bool

    /// Machines are containers of this very host.
    public static let local = Self(
        name: "local",
        zones: ["local-a", "local-b", "local-c"],
        networkCIDR: IPv4CIDR(containing: IPv4Address(number: 10 << 24 | 64 << 16), prefix: 24),
        sharesSegment: true
    )

    /// The clouds that work.
    public static let supported = [local]
    /// Names that are kept for clouds to come, and those kops has.
    public static let reserved = [
        "alicloud", "aws", "azure", "baremetal", "digitalocean", "gce", "hetzner", "metal", "openstack", "scaleway",
        "vsphere",
    ]

    /// The cloud of a name; `nil` when it does not work here.
    public static func named(_ name: String) -> Self? { supported.first { $0.name == name } }

    /// Why a name is no cloud, with the remedy, such as `aws is not supported by this version`.
    public static func refusal(of name: String) -> (message: String, remedy: String) {
        let names = supported.map(\.name)
        if reserved.contains(name) {
            return ("the cloud \(name) is not supported by this version", "supported: \(names.joined(separator: ", "))")
        }
        let near = Spelling.nearest(to: name, in: names)
        return (
            "\"\(name)\" is no cloud",
            near.map { "did you mean \($0)?" } ?? "supported: \(names.joined(separator: ", "))"
        )
    }
}
